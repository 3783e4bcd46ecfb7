// One lane of the engines' test: the program bundled into one file, and an engine asked for its answer.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { build } from "esbuild";
import { root } from "../support/sources.ts";

/** What an engine came to with one preset. */
export interface Answer {
  readonly preset: string;
  readonly digest: string;
  readonly threads: number;
  readonly version: string;
}

/** What it came to with some of them, and why the others are missing. */
export interface Answers {
  readonly answers: readonly Answer[];
  readonly problem?: string;
}

/** Bundles program.ts with the library, in the project's folder: what comes with the package is found from there. Gives the file, and what removes it. */
export async function bundle(): Promise<{ readonly path: string; readonly remove: () => void }> {
  const folder = mkdtempSync(join(root, "node_modules", ".engines-"));
  const path = join(folder, "program.mjs");
  await build({
    entryPoints: [join(root, "test/engines/program.ts")],
    bundle: true,
    format: "esm",
    platform: "node",
    banner: {
      js: 'import * as bannerModule from "node:module"; const require = bannerModule.createRequire(import.meta.url);',
    },
    outfile: path,
    logLevel: "error",
  });
  return { path, remove: () => rmSync(folder, { recursive: true }) };
}

/** The longest that a lane may take. */
export const longest = 3_600_000;

/** Told of each answer as it comes. */
export type Heard = (answer: Answer) => void;

/** What the engine that `start` runs answers to a lane. */
export function ask(
  start: readonly string[],
  program: string,
  lane: string,
  presets: readonly string[],
  heard: Heard = () => {},
): Promise<Answers> {
  const [file, ...args] = [...start, program, lane, presets.join()];
  const engine = spawn(file, args, { cwd: root, timeout: longest });
  const answers: Answer[] = [];
  createInterface({ input: engine.stdout }).on("line", (line) => {
    if (!line.startsWith("answer ")) return;
    answers.push(JSON.parse(line.slice("answer ".length)) as Answer);
    heard(answers.at(-1)!);
  });
  let errors = "";
  engine.stderr.on("data", (text) => (errors += text));
  return new Promise((resolve) => {
    engine.on("error", (error) => resolve({ answers: [], problem: error.message }));
    engine.on("close", (code, signal) => {
      const last = errors.trim().split("\n").slice(-3).join(" | ");
      resolve({ answers, ...(code !== 0 && { problem: `it ended with ${signal ?? code}: ${last}` }) });
    });
  });
}
