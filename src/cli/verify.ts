// `seedgrad verify RUN`: replays a run from its folder, in memory, and compares chain and digest; or trains a config and compares the digest alone.
import { existsSync } from "node:fs";
import { setDefaultVectorWidth } from "../backend/load.ts";
import type { VectorWidth } from "../backend/wasm/width.ts";
import { readManifest } from "../run/manifest.ts";
import { type Diff, diffReplay, diffRuns } from "../verify/diff.ts";
import { showDiff } from "../verify/show.ts";
import { rebuildFromConfig, verifyConfig, verifyRun } from "../verify/verify.ts";
import { short, showChecks } from "./checks.ts";
import { type Outcome, oneLine } from "./command.ts";
import { diffJson } from "./diff.ts";
import { configOf, importFor } from "./imports.ts";
import { isProof, type OpFlags, verifyOp } from "./verifyop.ts";

/** The flags of `verify`. */
export interface VerifyFlags extends OpFlags {
  readonly from?: number;
  readonly steps?: number;
  /** Left out: the one that the run didn't have, where the engine has both. */
  readonly vectorWidth?: VectorWidth;
  readonly json?: boolean;
}

/** Verifies a run's folder, a config against a published digest, one op of a step, or the proof of one. Exit code 1 when something differs. */
export async function verify(what: string, flags: VerifyFlags): Promise<Outcome> {
  if (flags.op !== undefined || isProof(what)) return verifyOp(what, flags);
  const { json: _json, import: programs, trustImports, vectorWidth, ...options } = flags;
  const config = configOf(what);
  const folder = config === what ? undefined : what;
  if (config !== undefined) await importFor(config, { import: programs, trustImports }, folder);
  const width = recordedWidth(what);
  if (vectorWidth === undefined && width === 8) setDefaultVectorWidth(4);
  const found = config === what ? await verifyConfig(what, options) : await verifyRun(what, options);
  const { equal, digest, expected, from, steps, firstDifference, difference, checks, stopped, backend, threads } =
    found;
  const range = from === 0 ? `${steps} steps` : `steps ${from + 1} to ${from + steps}`;
  const cut = stopped ? `, stopped at step ${from + steps} of ${stopped.of} (${oneLine(stopped.reason)})` : "";
  const isWide = found.vectorWidth === 8 || (width === 8 && backend === "wasm");
  const vectors = isWide ? `, vectors of ${found.vectorWidth}` : "";
  const verdict =
    found.verdict === "different"
      ? `DIFFERS: ${firstDifference === undefined ? "" : `first at step ${firstDifference}: `}${short(difference!)}`
      : `the same${cut}: ${range} replayed on ${backend}, ${threads} thread${threads === 1 ? "" : "s"}${vectors}`;
  const digests =
    expected === undefined
      ? ["the digest is of the run's end, and wasn't compared"]
      : [`expected  ${expected}`, `replayed  ${digest ?? "stopped at the difference"}`];
  const lines = [verdict, ...digests, ...showChecks(checks)];
  const code = equal ? 0 : 1;
  // What no step shows needs no second replay to be explained: the rows name it.
  const explainable = firstDifference !== undefined || (expected !== undefined && digest !== expected);
  const diff = explainable
    ? await explained(what, firstDifference, { ...options, import: programs, trustImports })
    : undefined;
  if (!diff) return { code, json: { ...found }, lines };
  return { code, json: { ...found, diff: diffJson(diff) }, lines: [...lines, "", ...showDiff(diff)] };
}

/** The vectors' width that a run's folder says it was made with. */
function recordedWidth(folder: string): unknown {
  const path = `${folder}/manifest.json`;
  return existsSync(path) ? readManifest(path).environment.vectorWidth : undefined;
}

/** Why it differs; undefined where there is nothing but a digest to compare with. */
async function explained(
  what: string,
  firstDifference: number | undefined,
  { against, backend, threads, data, ...programs }: VerifyFlags,
): Promise<Diff | undefined> {
  if (firstDifference !== undefined || against === undefined) {
    const rebuild = data === undefined ? undefined : rebuildFromConfig(what, data);
    return diffReplay(what, { backend, threads, rebuild });
  }
  if (!existsSync(`${against}/chain.bin`)) return undefined;
  const config = configOf(against);
  const prepare = async () => {
    if (config !== undefined) await importFor(config, programs, against);
  };
  return diffRuns(against, what, { backends: [undefined, backend], threads, prepare });
}
