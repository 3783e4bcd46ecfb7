// Job arrays: what `sweep --emit` writes is run by hand, as the scheduler would run it, and makes the runs that the sweep itself makes.
import { spawn, spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { call, commandFolder, type Finished, start } from "../support/cli.ts";
import { scratch } from "../support/folder.ts";

// What runs the tests isn't who writes the jobs: they call the command by its name.
delete process.env.npm_lifecycle_event;

const config = `trainer:
  init:
    seed: 7
    model: {name: mlp, sizes: [784, 16, 10], dropout: 0.1}
    loss: cross_entropy
    optimizer: {AdamW: {learning_rate: 0.003}}
    loop: {num_steps: 12}
    loggers: [ReportLogger: null]
  fit:
    train_dataloader: {name: mnist, split: test, batch_size: 32, shuffle: true}
`;
const rate = "trainer.init.optimizer.AdamW.learning_rate";

/** A folder with a sweep. */
function files(text: string): string {
  const folder = scratch();
  writeFileSync(join(folder, "config.yaml"), config);
  writeFileSync(join(folder, "My sweep.yaml"), `config: config.yaml\n${text}`);
  return folder;
}
const sweep = (folder: string, ...flags: string[]) => start(["sweep", "My sweep.yaml", ...flags], undefined, folder);
/** The same in this process, for what starts no runs. */
const sweepHere = (folder: string, ...flags: string[]) => call(["sweep", "My sweep.yaml", ...flags], folder);
const digests = (finished: Finished) => (finished.json().runs as { digest: string }[]).map(({ digest }) => digest);

/** Runs a command with these variables; `seedgrad` is found. */
function run(
  folder: string,
  command: readonly string[],
  env: Record<string, string>,
): Promise<{ code: number | null; out: string }> {
  const path = `${commandFolder()}:${process.env.PATH}`;
  const child = spawn(command[0], command.slice(1), { cwd: folder, env: { ...process.env, PATH: path, ...env } });
  let out = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (data) => {
      out += data;
    });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, out }));
  });
}

describe("slurm", () => {
  test("the array of 4 runs, made by hand, has the digests of the sweep on two processes, line by line", async () => {
    const text = `seeds: 2\ngrid: {${rate}: [0.001, 0.01]}\n`;
    const folder = files(text);
    const { stdout, code, stderr } = await sweepHere(folder, "--emit", "slurm", "--jobs", "2");
    expect(code, stderr).toBe(0);
    expect(existsSync(join(folder, "runs"))).toBe(false);
    const script = join(folder, "sweep.sh");
    writeFileSync(script, stdout);
    expect(spawnSync("bash", ["-n", script], { encoding: "utf8" })).toMatchObject({ status: 0, stderr: "" });
    const lines = stdout.trimEnd().split("\n");
    expect(lines[0]).toBe("#!/bin/bash");
    // What sbatch reads ends at the first command.
    const options = lines.filter((line) => line.startsWith("#SBATCH "));
    expect(options).toEqual(lines.slice(2, 2 + options.length));
    expect(options).toEqual([
      "#SBATCH --job-name=seedgrad-my-sweep",
      "#SBATCH --array=0-3%2",
      "#SBATCH --ntasks=1",
      "#SBATCH --cpus-per-task=1",
      "#SBATCH --signal=B:TERM@60",
      "#SBATCH --requeue",
      "#SBATCH --open-mode=append",
    ]);
    expect(lines.at(-1)).toMatch(
      /^exec .*seedgrad .*sweep 'My sweep\.yaml' --only "\$SLURM_ARRAY_TASK_ID" --plan [0-9a-f]{16}$/,
    );

    const job = (index: number) => run(folder, ["bash", script], { SLURM_ARRAY_TASK_ID: String(index) });
    for (let index = 0; index < 4; index += 2) {
      const both = await Promise.all([job(index), job(index + 1)]);
      expect(
        both.map((each) => each.code),
        both[0].out + both[1].out,
      ).toEqual([0, 0]);
    }
    const collected = await sweepHere(folder, "--json");
    expect(collected.code, collected.stderr).toBe(0);
    expect((collected.json().runs as { before: boolean }[]).every(({ before }) => before)).toBe(true);
    const local = await sweep(files(text), "--jobs", "2", "--json");
    expect(digests(collected)).toEqual(digests(local));
    expect(new Set(digests(local)).size).toBe(4);
    const rows = readFileSync(join(folder, "runs/My sweep/sweep.csv"), "utf8").trim().split("\n");
    expect(rows.slice(1).map((row) => row.split(",").at(-2))).toEqual(digests(local));

    // A plan that has changed since: a job makes nothing of it.
    writeFileSync(join(folder, "My sweep.yaml"), `config: config.yaml\nseeds: 12\n`);
    const changed = await job(3);
    expect(changed.code).toBe(2);
    expect(changed.out).toMatch(
      /--plan: the sweep has changed since its jobs were written: got [0-9a-f]{16}, expected [0-9a-f]{16}\nHint: /,
    );
  });
});

describe("kubernetes", () => {
  test("an indexed Job, whose container's command makes the run of its index", async () => {
    const folder = files("seeds: 2\nthreads: 2\n");
    const flags = ["--image", "registry.example/seedgrad:1", "--claim", "sweeps"];
    const { stdout, code, stderr } = await sweepHere(folder, "--emit", "kubernetes", ...flags);
    expect(code, stderr).toBe(0);
    const job = parse(stdout);
    expect(job).toMatchObject({
      apiVersion: "batch/v1",
      kind: "Job",
      metadata: { name: "seedgrad-my-sweep" },
      spec: {
        completionMode: "Indexed",
        completions: 2,
        parallelism: 2,
        template: { spec: { restartPolicy: "Never" } },
      },
    });
    const [container] = job.spec.template.spec.containers;
    expect(container).toMatchObject({ image: "registry.example/seedgrad:1", resources: { requests: { cpu: "2" } } });
    expect(container.volumeMounts[0]).toEqual({ name: "sweep", mountPath: container.workingDir });
    expect(job.spec.template.spec.volumes).toEqual([{ name: "sweep", persistentVolumeClaim: { claimName: "sweeps" } }]);

    const words = (index: number) =>
      container.command.map((word: string) => word.replace("$(JOB_COMPLETION_INDEX)", String(index)));
    const made = await Promise.all([0, 1].map((index) => run(folder, words(index), {})));
    expect(
      made.map((each) => each.code),
      made[0].out,
    ).toEqual([0, 0]);
    const collected = await sweepHere(folder, "--json");
    expect(collected.code, collected.stderr).toBe(0);
    digests(collected).forEach((digest, i) => {
      expect(made[i].out).toContain(digest);
    });
  });

  test("without an image or a claim, or for a scheduler that isn't known: code 2", async () => {
    const folder = files("seeds: 2\n");
    const claim = await sweepHere(folder, "--emit", "kubernetes", "--image", "a");
    expect([claim.code, claim.stderr]).toEqual([
      2,
      expect.stringMatching(/--emit kubernetes: a required flag is missing: expected --claim/),
    ]);
    const other = await sweepHere(folder, "--emit", "slrum");
    expect([other.code, other.stderr]).toEqual([2, expect.stringMatching(/expected slurm or kubernetes/)]);
  });
});
