// `seedgrad verify RUN`: replays a run from its folder, in memory, and compares chain and digest; or trains a config and compares the digest alone.
import { existsSync } from "node:fs";
import { setDefaultVectorWidth } from "../backend/load.ts";
import type { VectorWidth } from "../backend/wasm/width.ts";
import { ConfigError } from "../core/errors.ts";
import { drawSeed } from "../rng/stream.ts";
import { readManifest } from "../run/manifest.ts";
import type { Verification } from "../run/verification.ts";
import { addStatement, attestationOf, attestationsFile, signed } from "../verify/attestation.ts";
import { type Diff, diffReplay, diffRuns } from "../verify/diff.ts";
import { requireRun } from "../verify/folder.ts";
import { readKeys } from "../verify/keys.ts";
import { shareOf } from "../verify/share.ts";
import { showDiff } from "../verify/show.ts";
import { rebuildFromConfig, verifyConfig, verifyRun } from "../verify/verify.ts";
import { short, showChecks } from "./checks.ts";
import { type Outcome, oneLine, requirePath } from "./command.ts";
import { diffJson } from "./diff.ts";
import { checkTogether } from "./flags.ts";
import { configOf, importFor } from "./imports.ts";
import { verifyOverQueue } from "./queue.ts";
import { isProof, type OpFlags, verifyOp } from "./verifyop.ts";

/** The flags of `verify`. */
export interface VerifyFlags extends OpFlags {
  readonly from?: number;
  readonly steps?: number;
  /** In place of `from` and `steps`: so many steps, from where a draw says. */
  readonly share?: number;
  /** Of that draw; left out: a new one. */
  readonly shareSeed?: bigint;
  /** Has the runners of a queue replay it. */
  readonly queue?: string;
  readonly store?: string;
  readonly replicas?: number;
  /** The file of keys to sign what was found with. */
  readonly attest?: string;
  /** Left out: the one that the run didn't have, where the engine has both. */
  readonly vectorWidth?: VectorWidth;
  readonly json?: boolean;
}

/** What the runners of a queue decide themselves, or don't do. */
const runnersDecide = (
  ["from", "steps", "shareSeed", "attest", "against", "op", "data", "backend", "threads"] as const
).map((flag) => ["queue", flag] as const);

/** Verifies a run's folder, a config against a published digest, one op of a step, or the proof of one. Exit code 1 when something differs. */
export async function verify(what: string, flags: VerifyFlags): Promise<Outcome> {
  checkTogether(flags, { shareSeed: "share", store: "queue", replicas: "queue" }, runnersDecide);
  if (flags.data !== undefined) requirePath("--data", flags.data);
  if (flags.op !== undefined || isProof(what)) return verifyOp(what, flags);
  checkTogether(flags, { output: "op" });
  if (flags.queue !== undefined) {
    requireRun(what);
    await importFor(`${what}/config.yaml`, flags, what);
    const { store, replicas, share: replaySteps } = flags;
    return verifyOverQueue(what, flags.queue, { store, replicas, replaySteps });
  }
  const { json: _json, import: programs, trustImports, vectorWidth, share, shareSeed, attest, ...given } = flags;
  // Before anything is replayed: a file that holds no keys would cost all of it.
  const keys = attest === undefined ? undefined : readKeys(attest);
  const config = configOf(what);
  const folder = config === what ? undefined : what;
  if (folder === undefined && (keys || share !== undefined)) {
    throw new ConfigError({ where: what, problem: "a config has no run to attest", expected: "a run's folder" });
  }
  const drawn = share === undefined ? undefined : drawnShare(what, share, shareSeed ?? drawSeed(), given);
  const options = { ...given, ...drawn?.range };
  if (config !== undefined) await importFor(config, { import: programs, trustImports }, folder);
  const width = recordedWidth(what);
  if (vectorWidth === undefined && width === 8) setDefaultVectorWidth(4);
  const found = config === what ? await verifyConfig(what, options) : await verifyRun(what, options);
  if (keys) addStatement(what, signed(attestationOf(what, found), keys));
  const lines = [
    verdictText(found, width),
    ...digestTexts(found),
    ...(drawn ? [`share     drawn by seed ${drawn.seed}`] : []),
    ...(keys ? [`attested  by ${keys.publicKey}, in ${what}/${attestationsFile}`] : []),
    ...showChecks(found.checks),
  ];
  const { equal, digest, expected, firstDifference } = found;
  const code = equal ? 0 : 1;
  // What no step shows needs no second replay to be explained: the rows name it.
  const explainable = firstDifference !== undefined || (expected !== undefined && digest !== expected);
  const diff = explainable
    ? await explained(what, firstDifference, { ...options, import: programs, trustImports })
    : undefined;
  if (!diff) return { code, json: { ...found }, lines };
  return { code, json: { ...found, diff: diffJson(diff) }, lines: [...lines, "", ...showDiff(diff)] };
}

/** The steps that a draw chooses. Throws ConfigError where they are chosen by flags too. */
function drawnShare(what: string, share: number, seed: bigint, { from, steps }: Pick<VerifyFlags, "from" | "steps">) {
  if (from === undefined && steps === undefined) return { seed, range: shareOf(what, share, seed) };
  throw new ConfigError({
    where: "--share",
    problem: "its draw says where the replay begins, and it how many steps",
    got: "--from or --steps",
  });
}

/** What came out, in a line; `width`: of the recorded run's vectors. */
function verdictText(found: Verification, width: unknown): string {
  const { from, steps, firstDifference, difference, stopped, backend, threads, vectorWidth } = found;
  if (found.verdict === "different")
    return `DIFFERS: ${firstDifference === undefined ? "" : `first at step ${firstDifference}: `}${short(difference!)}`;
  const range = from === 0 ? `${steps} steps` : `steps ${from + 1} to ${from + steps}`;
  const cut = stopped ? `, stopped at step ${from + steps} of ${stopped.of} (${oneLine(stopped.reason)})` : "";
  const isWide = vectorWidth === 8 || (width === 8 && backend === "wasm");
  const vectors = isWide ? `, vectors of ${vectorWidth}` : "";
  return `the same${cut}: ${range} replayed on ${backend}, ${threads} thread${threads === 1 ? "" : "s"}${vectors}`;
}

function digestTexts({ expected, digest }: Verification): string[] {
  if (expected === undefined) return ["the digest is of the run's end, and wasn't compared"];
  return [`expected  ${expected}`, `replayed  ${digest ?? "stopped at the difference"}`];
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
