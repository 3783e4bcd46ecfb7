// V8's flags, set while it runs: they belong to the whole process, its threads included.
import { setFlagsFromString } from "node:v8";

/** Why this engine can't run two neighbouring vectors as one, or undefined where it may be able to. */
export function wideRefused(): string | undefined {
  const { node, bun, deno } = process.versions;
  if (bun !== undefined || deno !== undefined) return "the engine isn't Node";
  if (Number.parseInt(node, 10) < 24) return `Node ${node} can't: from Node 24 on`;
  return process.arch === "x64" ? undefined : `the processor is ${process.arch}, not x64`;
}

function setFlag(flag: string): void {
  if (wideRefused() === undefined) setFlagsFromString(flag);
}

/** Has wasm functions that V8 optimizes from now on run two neighbouring vectors as one, or not. */
export function runWide(on: boolean): void {
  setFlag(`--${on ? "" : "no-"}experimental-wasm-revectorize`);
}

/** Has functions of wasm modules that are made from now on optimized after their first call, at once; or, as usual, later and beside. */
export function optimizeAtOnce(on: boolean): void {
  setFlag(`--wasm-tiering-budget=${on ? 1 : 13_000_000}`);
  setFlag(`--${on ? "" : "no-"}wasm-sync-tier-up`);
}
