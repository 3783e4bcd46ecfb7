// `seedgrad verify RUN`: replays a run from its folder, in memory, and compares chain and digest.

import { existsSync } from "node:fs";
import type { Threads } from "../backend/load.ts";
import { importsOf } from "../train/config/parse.ts";
import { diffReplay } from "../verify/diff.ts";
import { showDiff } from "../verify/show.ts";
import { verifyRun } from "../verify/verify.ts";
import type { Outcome } from "./command.ts";
import { diffJson } from "./diff.ts";
import { importPrograms } from "./imports.ts";

/** The flags of `verify`. */
export interface VerifyFlags {
  readonly from?: number;
  readonly steps?: number;
  readonly against?: string;
  readonly backend?: string;
  readonly threads?: Threads;
  readonly json?: boolean;
}

/** Verifies a run's folder. Exit code 1 when something differs. */
export async function verify(folder: string, { json: _json, ...options }: VerifyFlags): Promise<Outcome> {
  const config = `${folder}/config.yaml`;
  if (existsSync(config)) await importPrograms(importsOf(config));
  const found = await verifyRun(folder, options);
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
  const { backend: chosen, threads: count } = options;
  const diff = await diffReplay(folder, { backend: chosen, threads: count });
  return { code: 1, json: { ...found, diff: diffJson(diff) }, lines: [...lines, "", ...showDiff(diff)] };
}
