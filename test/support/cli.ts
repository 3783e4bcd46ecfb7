// The command line in a process of its own, as a user runs it, or in this one, and small configs for it.
import { type ChildProcess, spawn } from "node:child_process";
import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { inject, vi } from "vitest";
import { scratch } from "./folder.ts";
import { root } from "./sources.ts";

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** The last line of stdout, as JSON. */
  json(): Record<string, unknown> & { digest: string; graphHash: string };
}

/** A module of the built library, as programs that run in processes of their own import it. */
export const source = (name: string): string => pathToFileURL(join(inject("built"), `src/${name}.js`)).href;

/** A built program of test/support. */
export const script = (name: string): string => join(inject("built"), `test/support/${name}.js`);

/** What Node runs. */
export const main: readonly string[] = [join(inject("built"), "src/cli/main.js")];
/** From the sources: slower, but programs may be TypeScript, and may be imported into the tests' own process as well. */
export const mainOfSources: readonly string[] = [
  "--import",
  pathToFileURL(join(root, "node_modules/tsx/dist/loader.mjs")).href,
  join(root, "src/cli/main.ts"),
];

/** Starts `seedgrad …` from the sources, in a folder. */
export const startSources = (args: readonly string[], cwd = root): Promise<Finished> =>
  start(args, undefined, cwd, undefined, process.env, mainOfSources);

/** Starts `seedgrad …`, in the repository's folder unless another is given; `onError` sees stderr as it grows, `onStart` the process at once. */
export function start(
  args: readonly string[],
  onError?: (text: string, child: ChildProcess) => void,
  cwd = root,
  onStart?: (child: ChildProcess) => void,
  env = process.env,
  command = main,
): Promise<Finished> {
  const child = spawn(process.execPath, [...command, ...args], { cwd, env });
  onStart?.(child);
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (data) => {
    stdout += data;
  });
  child.stderr.on("data", (data) => {
    stderr += data;
    onError?.(stderr, child);
  });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => resolve(finished(code, stdout, stderr)));
  });
}

const finished = (code: number | null, stdout: string, stderr: string): Finished => ({
  ...{ code, stdout, stderr },
  json: () => JSON.parse(stdout.trim().split("\n").at(-1)!),
});

let calls: Promise<unknown> = Promise.resolve();

/** Runs `seedgrad …` in this process, one after another: a tenth of the time, where a test isn't about the process. */
export function call(args: readonly string[], cwd = root): Promise<Finished> {
  const called = calls.then(() => inThisProcess(args, cwd));
  calls = called.catch(() => undefined);
  return called;
}

async function inThisProcess(args: readonly string[], cwd: string): Promise<Finished> {
  const { main } = await import("../../src/cli/program.ts");
  const said = { stdout: "", stderr: "" };
  const hear = (name: keyof typeof said) =>
    vi.spyOn(process[name], "write").mockImplementation((text) => {
      said[name] += text;
      return true;
    });
  const heard = [hear("stdout"), hear("stderr")];
  const { exitCode } = process;
  const place = process.cwd();
  process.exitCode = 0;
  process.chdir(cwd);
  try {
    await main(args);
    return finished(Number(process.exitCode), said.stdout, said.stderr);
  } finally {
    process.chdir(place);
    process.exitCode = exitCode;
    for (const spy of heard) spy.mockRestore();
  }
}

/** A folder for PATH, in which there is the command `seedgrad`. */
export function commandFolder(): string {
  const folder = scratch();
  const path = join(folder, "seedgrad");
  writeFileSync(path, `#!/bin/sh\nexec ${[process.execPath, ...main].map((word) => `'${word}'`).join(" ")} "$@"\n`);
  chmodSync(path, 0o755);
  return folder;
}

const preset = readFileSync(join(root, "src/presets/mnist-mlp.yaml"), "utf8");

/** The preset's text with some parts replaced; each must be there. */
export function presetWith(...changes: readonly (readonly [from: string, to: string])[]): string {
  return changes.reduce((text, [from, to]) => {
    if (!text.includes(from)) throw new Error(`the preset has no ${from}`);
    return text.replace(from, to);
  }, preset);
}

/** Writes a config into a folder of its own and gives its path. */
export function configFile(text: string): string {
  const path = join(scratch(), "config.yaml");
  writeFileSync(path, text);
  return path;
}
