// `seedgrad verify RUN`: replays a run from its folder, in memory, and compares chain and digest; or trains a config and compares the digest alone.
import { existsSync } from "node:fs";
import { setDefaultVectorWidth, type Threads } from "../backend/load.ts";
import type { VectorWidth } from "../backend/wasm/width.ts";
import { readManifest } from "../run/manifest.ts";
import type { Check, Finding } from "../run/verification.ts";
import { type Diff, diffReplay, diffRuns } from "../verify/diff.ts";
import { showDiff } from "../verify/show.ts";
import { rebuildFromConfig, verifyConfig, verifyRun } from "../verify/verify.ts";
import { type Outcome, oneLine, table } from "./command.ts";
import { diffJson } from "./diff.ts";
import type { ImportFlags } from "./flags.ts";
import { configOf, importFor } from "./imports.ts";

/** The flags of `verify`. */
export interface VerifyFlags extends ImportFlags {
  readonly from?: number;
  readonly steps?: number;
  readonly against?: string;
  readonly data?: string;
  readonly backend?: string;
  readonly threads?: Threads;
  /** Left out: the one that the run didn't have, where the engine has both. */
  readonly vectorWidth?: VectorWidth;
  readonly json?: boolean;
}

/** Verifies a run's folder, or a config against a published digest. Exit code 1 when something differs. */
export async function verify(
  what: string,
  { json: _json, import: programs, trustImports, vectorWidth, ...options }: VerifyFlags,
): Promise<Outcome> {
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

/** On one line, and no longer than a few of a terminal's. */
function short(text: string): string {
  const line = text.replace(/\s+/g, " ");
  return line.length > 300 ? `${line.slice(0, 300)}…` : line;
}

/** So many rows of a kind are shown; all are in `--json`. */
const shownRows = 20;

/** The rows by what was found. */
function showChecks(checks: readonly Check[]): string[] {
  const titles: Record<Finding, string> = {
    differs: "# differs",
    same: "# checked, and the same",
    trusted: "# taken on trust",
  };
  return (["differs", "same", "trusted"] as const).flatMap((finding) => {
    const rows = checks.filter(({ found }) => found === finding);
    if (rows.length === 0) return [];
    const shown = table(rows.slice(0, shownRows).map(({ what, detail = "" }) => [what, short(detail)]));
    const more = rows.length > shownRows ? [`… and ${rows.length - shownRows} more (--json)`] : [];
    return ["", titles[finding], ...shown, ...more];
  });
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
