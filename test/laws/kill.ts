// npm run test:kill [-- COUNT]: runs of the MNIST preset and of a small transformer, killed (SIGKILL) at random moments and gone on with, COUNT times
// each, with a checkpoint after every step. Whenever one comes to its end, its digest and its files must be those of a run that was never stopped.
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { root } from "../support/sources.ts";

/** A config, and how many of its steps are run. */
interface Subject {
  readonly config: string;
  readonly steps: number;
}

const story = "It was a dark night, and the whale was white; so they went on, and on, and did not see it. ".repeat(60);

const subjects: Readonly<Record<string, (folder: string) => Subject>> = {
  mlp(folder) {
    const config = join(folder, "mlp.yaml");
    const preset = readFileSync(join(root, "src/presets/mnist-mlp.yaml"), "utf8");
    writeFileSync(config, preset.replace(/loggers: .*/, "").replace("{steps: 500}", "{steps: 1, keep: 3}"));
    return { config, steps: 400 };
  },
  transformer(folder) {
    const [config, file] = [join(folder, "transformer.yaml"), join(folder, "story.txt")];
    writeFileSync(file, story);
    writeFileSync(
      config,
      `trainer:
  init:
    seed: 1234
    model: {name: gpt, vocabulary: ${new Set(story).size}, context: 16, width: 16, heads: 2, layers: 2, dropout: 0.1}
    loss: cross_entropy
    optimizer: {AdamW: {lr: 0.003}}
    precision: {max_gradient_norm: 1}
    loop: {num_steps: 200, eval_frequency: 25}
    checkpoint: {steps: 1, keep: 3}
  fit:
    train_dataloader: {name: text, file: ${file}, split: train, context: 16, batch_size: 8, shuffle: true}
    val_dataloader: {name: text, file: ${file}, split: validation, context: 16, batch_size: 8}
`,
    );
    return { config, steps: 200 };
  },
};

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly milliseconds: number;
}

/** One process of the command line, killed after `life` milliseconds if it is given. */
function launch(
  command: readonly string[],
  { config, steps }: Subject,
  modelDir: string,
  threads: number,
  life?: number,
): Promise<Ended> {
  const flags = ["--model-dir", modelDir, "--max-steps", String(steps), "--threads", String(threads), "--json"];
  const begun = performance.now();
  const child = spawn(process.execPath, [...command, "fit", config, ...flags], { cwd: root });
  const said = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const)
    child[name].on("data", (data) => {
      said[name] += data;
    });
  const timer = life === undefined ? undefined : setTimeout(() => child.kill("SIGKILL"), life);
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => {
      clearTimeout(timer);
      resolve({ ...said, code, milliseconds: performance.now() - begun });
    });
  });
}

const digestOf = ({ stdout }: Ended) => (JSON.parse(stdout.trim().split("\n").at(-1)!) as { digest: string }).digest;
const filesOf = (modelDir: string) =>
  ["chain.bin", "metrics.csv", "metrics.jsonl"].map((name) => readFileSync(join(modelDir, name), "latin1"));

/** Kills a subject's runs `count` times; `command` is the command line, as Node's arguments; `steps` makes the runs shorter. Returns how many came to their end; throws when one ends otherwise than a run that wasn't stopped. */
export async function killed(
  command: readonly string[],
  name: string,
  count: number,
  log: (line: string) => void,
  steps?: number,
): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), "seedgrad-kill-"));
  try {
    const made = subjects[name](folder);
    const subject = { ...made, steps: steps ?? made.steps };
    const whole = await launch(command, subject, join(folder, "whole"), 1);
    if (whole.code !== 0) throw new Error(`${name}: it failed without being killed:\n${whole.stderr}`);
    const [digest, files] = [digestOf(whole), filesOf(join(folder, "whole"))];
    let ends = 0;
    for (let kills = 0; kills < count || ends === 0; ) {
      const modelDir = join(folder, `run-${ends}`);
      // A life may end while the process starts, and may be long enough to come to the end; the last one isn't cut short.
      const life = kills < count ? Math.random() * whole.milliseconds : undefined;
      const ended = await launch(command, subject, modelDir, 1 + (kills % 2), life);
      const at = `${name}, kill ${kills}, life ${life?.toFixed(1)} ms`;
      log(`${at}: ${ended.code === null ? "killed" : `code ${ended.code}`}, ${ended.stderr.trim().split("\n").at(-1)}`);
      if (ended.code === null) {
        kills++;
        continue;
      }
      if (ended.code !== 0) throw new Error(`${at}: it didn't go on:\n${ended.stderr}`);
      if (digestOf(ended) !== digest) throw new Error(`${at}: digest ${digestOf(ended)}, expected ${digest}`);
      if (filesOf(modelDir).some((text, i) => text !== files[i])) throw new Error(`${at}: other files`);
      ends++;
    }
    return ends;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const count = Number(process.argv[2] ?? 50);
  for (const name of Object.keys(subjects)) {
    const ends = await killed(["--import", "tsx", "src/cli/main.ts"], name, count, console.log);
    console.log(
      `${name}: ${count} kills, ${ends} runs to their end, each with the digest and files of one never stopped`,
    );
  }
}
