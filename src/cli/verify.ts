// `seedgrad verify RUN`: replays a run from its folder, in memory, and compares chain and digest; or trains a config and compares the digest alone.
import { existsSync } from "node:fs";
import type { Threads } from "../backend/load.ts";
import { type Diff, diffReplay, diffRuns } from "../verify/diff.ts";
import { showDiff } from "../verify/show.ts";
import { verifyConfig, verifyRun } from "../verify/verify.ts";
import type { Outcome } from "./command.ts";
import { diffJson } from "./diff.ts";
import { configOf, type ImportFlags, importFor } from "./imports.ts";

/** The flags of `verify`. */
export interface VerifyFlags extends ImportFlags {
  readonly from?: number;
  readonly steps?: number;
  readonly against?: string;
  readonly backend?: string;
  readonly threads?: Threads;
  readonly json?: boolean;
}

/** Verifies a run's folder, or a config against a published digest. Exit code 1 when something differs. */
export async function verify(
  what: string,
  { json: _json, import: programs, trustImports, ...options }: VerifyFlags,
): Promise<Outcome> {
  const config = configOf(what);
  const folder = config === what ? undefined : what;
  if (config !== undefined) await importFor(config, { import: programs, trustImports }, folder);
  const found = config === what ? await verifyConfig(what, options) : await verifyRun(what, options);
  const { equal, digest, expected, from, steps, firstDifference, difference, backend, threads } = found;
  const range = from === 0 ? `${steps} steps` : `steps ${from + 1} to ${from + steps}`;
  const verdict = equal
    ? `the same: ${range} replayed on ${backend}, ${threads} thread${threads === 1 ? "" : "s"}`
    : `DIFFERS: ${firstDifference === undefined ? "" : `first at step ${firstDifference}: `}${difference}`;
  const trusted = from === 0 ? [] : [`the checkpoint at step ${from} was taken as it is`];
  const digests =
    expected === undefined
      ? ["the digest is of the run's end, and wasn't compared"]
      : [`expected  ${expected}`, `replayed  ${digest ?? "stopped at the difference"}`];
  const lines = [verdict, ...trusted, ...digests];
  if (equal) return { code: 0, json: { ...found }, lines };
  const diff = await explained(what, found.firstDifference, { ...options, import: programs, trustImports });
  if (!diff) return { code: 1, json: { ...found }, lines };
  return { code: 1, json: { ...found, diff: diffJson(diff) }, lines: [...lines, "", ...showDiff(diff)] };
}

/** Why it differs; undefined where there is nothing but a digest to compare with. */
async function explained(
  what: string,
  firstDifference: number | undefined,
  { against, backend, threads, ...programs }: VerifyFlags,
): Promise<Diff | undefined> {
  if (firstDifference !== undefined || against === undefined) return diffReplay(what, { backend, threads });
  if (!existsSync(`${against}/chain.bin`)) return undefined;
  const config = configOf(against);
  const prepare = async () => {
    if (config !== undefined) await importFor(config, programs, against);
  };
  return diffRuns(against, what, { backends: [undefined, backend], threads, prepare });
}
