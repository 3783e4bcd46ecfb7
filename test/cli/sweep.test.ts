// Sweeps in processes of their own, as a user runs them: stopped, killed, changed and failing; their runs' digests are those of `fit`.
import type { ChildProcess } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { sweep as sweepCommand } from "../../src/cli/sweep.ts";
import { verify } from "../../src/cli/verify.ts";
import { readManifest } from "../../src/run/manifest.ts";
import { LocalSweep } from "../../src/sweep/local.ts";
import { loadSweep } from "../../src/sweep/plan.ts";
import { call, type Finished, start, startSources } from "../support/cli.ts";
import { scratch } from "../support/folder.ts";
import { shortConfig } from "../support/jobs.ts";

const rate = "trainer.init.optimizer.AdamW.learning_rate";
const config = (steps: number) => `trainer:
  init:
    seed: 7
    model: {name: mlp, sizes: [784, 32, 10], dropout: 0.1}
    loss: cross_entropy
    metrics: [accuracy]
    optimizer: {AdamW: {learning_rate: 0.003}}
    loop: {num_steps: ${steps}, eval_frequency: end, eval_steps: 1}
    checkpoint: {steps: 100}
    loggers: [ReportLogger: null]
  fit:
    train_dataloader: {name: mnist, split: test, batch_size: 32, shuffle: true}
    val_dataloader: {name: mnist, split: test, batch_size: 200}
`;

/** A folder with config.yaml and sweep.yaml. */
function files(sweep: string, steps = 30): string {
  const folder = scratch();
  writeFileSync(join(folder, "config.yaml"), config(steps));
  writeFileSync(join(folder, "sweep.yaml"), `config: config.yaml\n${sweep}`);
  return folder;
}

interface Row {
  readonly index: number;
  readonly name: string;
  readonly seed: string;
  readonly state: string;
  readonly before: boolean;
  readonly digest?: string;
  readonly reason?: string;
  readonly settings: Record<string, unknown>;
}
const rows = (finished: Finished) => finished.json().runs as Row[];
const states = (finished: Finished) => rows(finished).map(({ state }) => state);
const digests = (finished: Finished) => rows(finished).map(({ digest }) => digest);

/** `seedgrad sweep sweep.yaml --json` in a folder. */
const sweep = (folder: string, flags: string[] = [], onStart?: (child: ChildProcess) => void) =>
  start(["sweep", "sweep.yaml", "--json", ...flags], undefined, folder, onStart);
/** The same in this process, for what starts no runs. */
const sweepHere = (folder: string, ...flags: string[]) => call(["sweep", "sweep.yaml", "--json", ...flags], folder);
const runsIn = (folder: string) => join(folder, "runs/sweep");
const manifestOf = (folder: string, name: string) => readManifest(join(runsIn(folder), name, "manifest.json"));
const logOf = (folder: string, name: string) => readFileSync(join(runsIn(folder), `${name}.log`), "utf8");

/** Waits until something is so; a minute at most. */
async function until(holds: () => boolean): Promise<void> {
  for (let waited = 0; !holds(); waited += 20) {
    if (waited > 60_000) throw new Error("it never came to be so");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** How many checkpoints the runs of a folder have, together. */
function checkpoints(folder: string): number {
  if (!existsSync(runsIn(folder))) return 0;
  return readdirSync(runsIn(folder))
    .map((name) => join(runsIn(folder), name, "checkpoints"))
    .filter((path) => existsSync(path))
    .reduce((sum, path) => sum + readdirSync(path).filter((name) => name.endsWith(".safetensors")).length, 0);
}

/** Signals a process that may have ended. */
function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {}
}

/** A watcher of stderr, until it has seen what it waits for. */
function once(act: (text: string) => boolean): (text: string) => void {
  let done = false;
  return (text) => {
    if (!done) done = act(text);
  };
}

/** The process that works on a run. */
const ownerOf = (folder: string, name: string): number =>
  JSON.parse(readFileSync(join(runsIn(folder), name, "lock"), "utf8")).pid;
const locked = (folder: string): string[] =>
  existsSync(runsIn(folder))
    ? readdirSync(runsIn(folder)).filter((name) => existsSync(join(runsIn(folder), name, "lock")))
    : [];

describe("a sweep", () => {
  test("makes its runs, each as `fit` makes it; what is finished isn't made again, what changed is, and what left the plan stays", async () => {
    const folder = files(`grid: {${rate}: [0.001, 0.01]}\n`);
    const first = await sweep(folder, ["--jobs", "2"]);
    expect(first.code, first.stderr).toBe(0);
    expect(states(first)).toEqual(["finished", "finished"]);
    expect(first.json()).toMatchObject({ finished: 2, failed: 0, folder: "runs/sweep" });
    expect(new Set(digests(first)).size).toBe(2);
    expect(first.stderr).toMatch(
      /^2 runs in runs\/sweep, 2 at a time\nrun 0 of 2 \(\w{16}\) \| running \| learning_rate 0\.001, seed 7$/m,
    );

    const [{ name: gone }, { name, digest }] = rows(first);
    const args = ["fit", "config.yaml", "--set", `${rate}=0.01`, "--model-dir", "alone", "--json"];
    const alone = await start(args, undefined, folder);
    expect(alone.json().digest).toBe(digest);
    expect(manifestOf(folder, name).result!.digest).toBe(digest);
    const written = statSync(join(runsIn(folder), name, "manifest.json")).mtimeMs;

    writeFileSync(join(folder, "sweep.yaml"), `config: config.yaml\ngrid: {${rate}: [0.002, 0.01]}\n`);
    const changed = await sweep(folder);
    expect(changed.code, changed.stderr).toBe(0);
    expect(rows(changed).map(({ before }) => before)).toEqual([false, true]);
    expect(digests(changed)[1]).toEqual(digest);
    expect(statSync(join(runsIn(folder), name, "manifest.json")).mtimeMs).toBe(written);
    expect(changed.stderr).toContain(`runs that aren't in the plan are left alone: runs/sweep/${gone}\n`);
    expect(manifestOf(folder, gone).status).toBe("finished");

    const lines = readFileSync(join(runsIn(folder), "sweep.csv"), "utf8")
      .trim()
      .split("\n");
    expect(lines.slice(1).map((line) => line.split(",").at(-2))).toEqual(digests(changed));
    expect(readFileSync(join(runsIn(folder), "sweep.html"), "utf8")).toContain("Sweep sweep.yaml");
    expect(changed.stdout).toMatch(/^# best settings by the least median of val_loss: learning_rate 0\.\d+$/m);
    writeFileSync(
      join(folder, "sweep.yaml"),
      `config: config.yaml\ngrid: {${rate}: [0.002, 0.01]}\nmetric: {name: accuracy/9}\n`,
    );
    const wrong = await sweepHere(folder);
    expect([wrong.code, wrong.json().finished]).toEqual([2, 2]);
    expect(wrong.stdout).toMatch(
      /metric: no run has a number of this name: got accuracy\/9, .*\nHint: did you mean accuracy\?/,
    );
    // The tables are written all the same.
    const rewritten = readFileSync(join(runsIn(folder), "sweep.csv"), "utf8")
      .trim()
      .split("\n");
    expect(rewritten.slice(1).map((line) => line.split(",").at(-2))).toEqual(digests(wrong));
  });

  test("--only makes one run, with the same digest, beside others; an index that isn't there is refused", async () => {
    const folder = files("seeds: 3\n");
    const runs = await Promise.all(["0", "2"].map((index) => sweep(folder, ["--only", index])));
    expect(
      runs.map(({ code }) => code),
      runs[0].stderr,
    ).toEqual([0, 0]);
    const whole = await sweep(folder);
    expect(rows(whole).map(({ before }) => before)).toEqual([true, false, true]);
    expect([digests(whole)[0], digests(whole)[2]]).toEqual(runs.map((run) => run.json().digest));
    const none = await sweepHere(folder, "--only", "3");
    expect([none.code, none.stderr]).toEqual([
      2,
      expect.stringMatching(/--only: the sweep has no such run: got 3, expected an index from 0 to 2/),
    ]);
  });

  test("--only waits for a process that makes the same run already: both end with its digest", async () => {
    const folder = files("seeds: 1\n", 3000);
    const first = sweep(folder, ["--only", "0"]);
    await until(() => locked(folder).length === 1);
    const second = await sweep(folder, ["--only", "0"]);
    expect([second.code, (await first).code], second.stderr).toEqual([0, 0]);
    expect(second.stderr).toMatch(/^runs\/sweep\/\w{16} is in use by another process, which is waited for$/m);
    expect(second.json().digest).toBe((await first).json().digest);
  });

  test("--dry-run prints the plan, with the time that it takes, and writes nothing", async () => {
    const folder = files(`seeds: 3\ngrid: {${rate}: [0.001, 0.01]}\n`);
    const dry = await sweepHere(folder, "--dry-run", "--jobs", "2");
    expect(dry.code, dry.stderr).toBe(0);
    expect(existsSync(join(folder, "runs"))).toBe(false);
    expect(dry.stdout).toMatch(/^0 {4}\w{16} {2}waiting {2}30 {5}\d+s {4}learning_rate 0\.001, seed 7$/m);
    expect(dry.stdout).toMatch(/^6 runs in runs\/sweep, 2 at a time$/m);
    expect(dry.stdout).toMatch(/^about \d+s with 2 runs at a time, if they don't slow each other down/m);
    expect(dry.stdout).toMatch(/^timed: run 0: [\d.]+ ms per step \(median of 29\), .* ms per validation; run 3: /m);
    const { runs, estimate } = dry.json() as unknown as { runs: Row[]; estimate: { seconds: number; timed: object[] } };
    expect(runs).toHaveLength(6);
    expect(runs[4]).toMatchObject({ index: 4, seed: "8", settings: { [rate]: 0.01 }, totalSteps: 30 });
    expect(estimate.seconds).toBeGreaterThan(0);
    expect(estimate.timed).toHaveLength(2);
  });

  test("a second one in the same folder is refused", async () => {
    const folder = files("seeds: 2\n", 20_000);
    let first: ChildProcess | undefined;
    const running = sweep(folder, [], (child) => {
      first = child;
    });
    await until(() => checkpoints(folder) > 2);
    const second = await sweep(folder);
    expect([second.code, second.stderr]).toEqual([1, expect.stringMatching(/another run is using this folder/)]);
    first!.kill("SIGTERM");
    expect((await running).code).toBe(143);
  });

  test("threads and programs come from the file and the flags: they reach the runs", async () => {
    const folder = files("threads: 2\n");
    writeFileSync(join(folder, "mine.js"), "globalThis.mine = 1;\n");
    const run = await sweep(folder, ["--import", "./mine.js"]);
    expect(run.code, run.stderr).toBe(0);
    const manifest = manifestOf(folder, rows(run)[0].name);
    expect(manifest.environment.threads).toBe(2);
    expect(Object.keys(manifest.imports!)).toEqual(["./mine.js"]);
    writeFileSync(join(folder, "mine.js"), "globalThis.mine = 2;\n");
    // From the sources its runs are, too.
    const again = await startSources(["sweep", "sweep.yaml", "--import", "./mine.js", "--json"], folder);
    expect(rows(again)[0].name).not.toBe(rows(run)[0].name);
    expect(digests(again)).toEqual(digests(run));
  });
});

describe("a sweep that is stopped", () => {
  // Long enough that none ends between its second checkpoint and a signal.
  const steps = 1500;
  let whole: Promise<Finished> | undefined;
  /** The digests of one that never was. */
  const wanted = async () => {
    whole ??= sweep(files("seeds: 2\n", steps));
    return digests(await whole);
  };

  test("killed, with its runs going on: the next one waits for them, and resumes what doesn't end by itself", async () => {
    const folder = files("seeds: 2\n", steps);
    let child: ChildProcess | undefined;
    const killed = sweep(folder, ["--jobs", "2"], (started) => {
      child = started;
    });
    await until(() => locked(folder).length === 2 && checkpoints(folder) > 2);
    const owners = locked(folder).map((name) => ownerOf(folder, name));
    for (const owner of owners) signal(owner, "SIGSTOP");
    child!.kill("SIGKILL");
    expect((await killed).code).toBeNull();
    const waits = (text: string) => {
      const isWaiting = text.match(/goes on in another process, which is waited for/g)?.length === 2;
      if (isWaiting) {
        signal(owners[0], "SIGCONT");
        signal(owners[1], "SIGKILL");
      }
      return isWaiting;
    };
    const resumed = await start(["sweep", "sweep.yaml", "--jobs", "2", "--json"], once(waits), folder);
    expect(resumed.code, resumed.stderr).toBe(0);
    expect(resumed.stderr.match(/\| running/g)).toHaveLength(1);
    expect(digests(resumed)).toEqual(await wanted());
  });

  test("killed with its runs, and by SIGINT: code 130, and in the end the same digests", async () => {
    const folder = files("seeds: 2\n", steps);
    let child: ChildProcess | undefined;
    const keep = (started: ChildProcess) => {
      child = started;
    };
    const killed = sweep(folder, ["--jobs", "2"], keep);
    await until(() => locked(folder).length === 2 && checkpoints(folder) > 2);
    child!.kill("SIGKILL");
    for (const name of locked(folder)) signal(ownerOf(folder, name), "SIGKILL");
    await killed;
    const begun = checkpoints(folder);
    const interrupted = sweep(folder, ["--jobs", "2"], keep);
    await until(() => checkpoints(folder) > begun);
    child!.kill("SIGINT");
    const stopped = await interrupted;
    expect(stopped.code, stopped.stderr).toBe(130);
    expect(stopped.stderr).toContain("SIGINT: the runs finish their steps and save");
    expect(stopped.json().interrupted).toBe("SIGINT");
    expect(stopped.stdout).toMatch(/^go on with: .*seedgrad .*sweep sweep\.yaml --jobs 2 --json$/m);
    for (const { name, state } of rows(stopped)) {
      if (state === "stopped") expect(manifestOf(folder, name).status).toBe("interrupted");
      expect(existsSync(join(runsIn(folder), name, "lock"))).toBe(false);
    }
    const resumed = await sweep(folder);
    expect(resumed.code, resumed.stderr).toBe(0);
    expect(
      rows(resumed).some(({ name }) => /going on from .*checkpoint_\d+\.safetensors/.test(logOf(folder, name))),
    ).toBe(true);
    expect(digests(resumed)).toEqual(await wanted());
  });

  test("not, but one of its runs is killed: that one failed, the others go on, and the next sweep resumes it", async () => {
    const folder = files("seeds: 2\n", steps);
    const run = sweep(folder, ["--jobs", "1"]);
    await until(() => checkpoints(folder) > 2);
    const [name] = locked(folder);
    signal(ownerOf(folder, name), "SIGKILL");
    const killed = await run;
    expect(killed.code).toBe(1);
    expect(states(killed)).toEqual(["failed", "finished"]);
    expect(rows(killed)[0].reason).toBe("its process was ended by SIGKILL");
    const resumed = await sweep(folder);
    expect(resumed.code, resumed.stderr).toBe(0);
    expect(logOf(folder, name)).toMatch(/going on from/);
    expect(rows(resumed).map(({ before }) => before)).toEqual([false, true]);
    expect(digests(resumed)).toEqual(await wanted());
  });
});

describe("a run that fails", () => {
  test("by its numbers, or at its beginning, is told at the end with its log, code 1; the others are made", async () => {
    const sizes = "trainer.init.model.sizes";
    const folder = files(
      `list:\n  - {${rate}: 0.01}\n  - {${rate}: 1.0e+30}\n  - {${sizes}: [784, 10, 7]}\n  - {${sizes}: [99, 10]}\n  - {${rate}: 0.02}\n`,
    );
    const run = await sweep(folder, ["--jobs", "2"]);
    expect(run.code).toBe(1);
    expect(states(run)).toEqual(["finished", "failed", "failed", "failed", "finished"]);
    expect(run.json()).toMatchObject({ finished: 2, failed: 3 });
    const [, nan, classes, wide] = rows(run);
    expect(nan.reason).toMatch(/loss/);
    expect(classes.reason).toMatch(/7|class/);
    expect(wide.reason).toMatch(/784|99/);
    expect(run.stdout).toContain(`its log: runs/sweep/${nan.name}.log`);
    expect(run.stdout).toMatch(/^the failed ones again with: .*seedgrad .*sweep sweep\.yaml --jobs 2 --json$/m);
  });

  test("in a folder that holds another run is told, and the folder left alone", async () => {
    const folder = files("seeds: 1\n");
    const [{ name }] = (await sweepHere(folder, "--dry-run")).json().runs as Row[];
    mkdirSync(join(runsIn(folder), name), { recursive: true });
    writeFileSync(join(runsIn(folder), name, "manifest.json"), "{}");
    const run = await sweep(folder);
    expect(run.code).toBe(1);
    expect(rows(run)[0].reason).toMatch(/manifest/);
    expect(readFileSync(join(runsIn(folder), name, "manifest.json"), "utf8")).toBe("{}");
  });
});

test("a file that is no sweep: code 2, with its place", async () => {
  const folder = files("grid: {trainer.init.optimizer.AdamW.learning_rat: [1]}\n");
  const run = await sweepHere(folder);
  expect(run.code).toBe(2);
  expect(run.stderr).toMatch(/^ConfigError: sweep\.yaml:2:8: .*unknown key.*\nHint: did you mean learning_rate\?/);
  expect(existsSync(join(folder, "runs"))).toBe(false);
  const missing = await call(["sweep", "nowhere.yaml"], folder);
  expect([missing.code, missing.stderr]).toEqual([2, expect.stringMatching(/nowhere\.yaml/)]);
});

test("a config of several phases: each run goes through them, is told by the last, and goes on where it was", async () => {
  const folder = scratch();
  const trainer = (text: string) => text.replace("trainer:\n  init", "- init");
  const second = shortConfig({ steps: 4, every: 2 }).replace("learning_rate: 0.01", "learning_rate: 0.001");
  writeFileSync(
    join(folder, "config.yaml"),
    `trainer:\n${trainer(shortConfig({ steps: 6, every: 3 }))}${trainer(second)}`,
  );
  const file = join(folder, "sweep.yaml");
  const own = join(folder, "runs");
  writeFileSync(file, "config: config.yaml\nseeds: 2\n");
  const { json: planned } = await sweepCommand(file, { folder: own, dryRun: true });
  const names = (planned.runs as Row[]).map(({ name }) => name);
  expect(planned.runs).toMatchObject([
    { state: "waiting", totalSteps: 10 },
    { state: "waiting", totalSteps: 10 },
  ]);
  expect((planned.estimate as { timed: object[] }).timed).toMatchObject([
    { index: 0, phase: 1 },
    { index: 0, phase: 2 },
  ]);
  const made = [];
  for (const only of [0, 1]) {
    const { code, json } = await sweepCommand(file, { folder: own, only });
    expect(code).toBe(0);
    made.push(json.digest);
    // What is left: the second phase of the first run, gone on with from the first one's weights.
    if (only === 0) rmSync(join(own, names[0], "phase-2"), { recursive: true });
  }
  const statuses = new LocalSweep(loadSweep(file, { folder: own })).statuses();
  expect(statuses.map(({ state, step }) => [state, step])).toEqual([
    ["waiting", 6],
    ["finished", 10],
  ]);
  const again = await sweepCommand(file, { folder: own, only: 0 });
  expect(again.json.digest).toBe(made[0]);
  const whole = await sweepCommand(file, { folder: own });
  expect([whole.code, (whole.json.runs as Row[]).map(({ digest }) => digest)]).toEqual([0, made]);
  expect(whole.lines.join("\n")).toContain(`seedgrad verify ${join(own, names[0], "phase-2")}`);
  const csv = readFileSync(join(own, "sweep.csv"), "utf8").trim().split("\n");
  made.forEach((digest, i) => {
    expect(csv[i + 1]).toContain(`,${digest},${join(own, names[i], "phase-2")}`);
  });
  expect((await verify(join(own, names[0], "phase-2"), {})).code).toBe(0);
});
