// A run made again from its folder, in memory: its chain compared link by link, whole, or from one of its checkpoints, to the end or for some steps;
// its checkpoints at their steps; and in the end all that the folder says of it. It writes nothing, and stops at the first step that differs: what
// came before that step is proved equal.

import type { Threads } from "../backend/load.ts";
import type { Backend } from "../compile/contract.ts";
import { ConfigError, ReproError } from "../core/errors.ts";
import { checkKeys, ownValue } from "../core/keys.ts";
import type { DataLoader } from "../data/loader.ts";
import type { ChainDifference } from "../run/compare.ts";
import type { Manifest } from "../run/manifest.ts";
import type { TrainerOptions } from "./config/options.ts";
import { numberDifferences, optimizerNumbers } from "./describe.ts";
import { listOf } from "./evaluate.ts";
import type { Callback } from "./hooks.ts";
import { type Check, Checks } from "./replay/checks.ts";
import { Comparison } from "./replay/comparison.ts";
import { addTrusted, compareProgram, compareResult } from "./replay/facts.ts";
import { type Recorded, readRecorded, type Target, targetOf } from "./replay/recorded.ts";
import type { Trainer } from "./trainer.ts";
import { describeLoaders, validationDifference } from "./validations.ts";

export type { Check, Finding } from "./replay/checks.ts";
export { published } from "./replay/recorded.ts";

/**
 * The program of a run, made again: a new Trainer, with `changes` over its options, and its loaders; `val` for its validations. The callbacks of `changes`
 * come after those of the program's own that belong to the run.
 */
export type Rebuild = (changes: Partial<TrainerOptions>) => {
  readonly trainer: Trainer;
  readonly train?: DataLoader;
  readonly val?: DataLoader | readonly DataLoader[];
};

export interface ReplayOptions {
  /** The backend to replay on, or its name; the run's own unless given. Any of class A must agree. */
  readonly backend?: string | Backend;
  readonly threads?: Threads;
  /** Replays from the run's checkpoint at this step, which is trusted; 0, the beginning, unless given. */
  readonly from?: number;
  /** Replays at most so many steps; to the end unless given. */
  readonly steps?: number;
  /** What the run must come to, in place of what its own manifest says: a digest, or a manifest's path, or the folder that holds one. */
  readonly against?: string;
}

/** `same, stopped early`: the same up to step k of N, where the recorded run ended for a reason that no replay can know, such as a person's. */
export type Verdict = "same" | "same, stopped early" | "different";

/** What a replay found. */
export interface Verification {
  readonly verdict: Verdict;
  /** Whether the verdict is `same`. */
  readonly equal: boolean;
  /** The replay's digest; undefined where it stopped before the end. */
  readonly digest?: string;
  /** The digest that was to come out, where the replay was to go to the end. */
  readonly expected?: string;
  /** The step it began at. */
  readonly from: number;
  /** Steps replayed. */
  readonly steps: number;
  /** For `same, stopped early`: the steps that the program would have taken, and why it says that it stopped. */
  readonly stopped?: { readonly of: number; readonly reason: string };
  /** The first step whose link differs, from 1. */
  readonly firstDifference?: number;
  /** What differs there, or in the end, for a reader. */
  readonly difference?: string;
  /** Row by row: what was compared, what differs, and what was taken on trust. */
  readonly checks: readonly Check[];
  readonly backend: string;
  readonly threads: number;
}

/** The callbacks that a replay needs: all that don't say they only watch; where it validates, those too that validated numbers or the run's end depend on. */
export function replayed(callbacks: readonly Callback[], { validates }: { readonly validates: boolean }): Callback[] {
  return callbacks.filter(
    ({ changesTraining, changesValidation, endsRun }) =>
      changesTraining !== false || (validates && (changesValidation || endsRun)),
  );
}

/** Replays a run from its folder. Throws CheckpointError for a folder that holds no run, or no checkpoint at `from`, ReproError for other numerics or data, ConfigError for options that don't fit. */
export async function replayRun(folder: string, rebuild: Rebuild, options: ReplayOptions = {}): Promise<Verification> {
  checkKeys("verify", options, ["backend", "threads", "from", "steps", "against"]);
  const recorded = readRecorded(folder, options);
  const { manifest, from, checkpoint } = recorded;
  const target = targetOf(recorded, options.against);
  const checks = new Checks();
  let validations: readonly DataLoader[] = [];
  const comparison = new Comparison(recorded, () => validations, checks);
  const { trainer, train, val } = rebuild({
    seed: BigInt(manifest.seed),
    modelDir: undefined,
    checkpoint: null,
    loggers: [],
    logging: { logLevel: "warn" },
    callbacks: [comparison],
    ...(manifest.deterministic === "warn" && { deterministic: "warn" }),
    ...(options.backend !== undefined && { backend: options.backend }),
    ...(options.threads !== undefined && { threads: options.threads }),
  });
  if (!train) throw new ConfigError({ where: folder, problem: "there is no loader to replay with", got: "no train" });
  validations = listOf(val);
  checkData(folder, manifest, train);
  checkValidation(folder, manifest, trainer, validations);
  // As they are before a callback moves them.
  const numbers = optimizerNumbers(trainer);
  const { name: backend, threads } = await trainer.backend();
  const found = (facts: Partial<Verification>): Verification => {
    const differing = checks.differing.map(({ what, detail }) => `${what}: ${detail}`);
    const difference = facts.difference ?? (differing.length > 0 ? differing.join("; ") : undefined);
    const verdict = difference !== undefined ? "different" : facts.stopped ? "same, stopped early" : "same";
    const shown = { ...facts, ...(difference !== undefined && { difference }), checks: checks.rows };
    return { ...shown, verdict, equal: verdict === "same", from, steps: comparison.step - from, backend, threads };
  };
  const compareRest = () => {
    if (comparison.facts) compareProgram(recorded, { trainer, facts: comparison.facts, validations }, checks);
    addTrusted(recorded, checks);
  };
  try {
    const run = await trainer.fit(train, validations, { ckptPath: checkpoint });
    comparison.step = run.steps;
    checks.compared("chain.bin", [], `the links of steps ${from + 1} to ${run.steps}`);
    const ended = endDifference(recorded, target, run) ?? target.differences[0];
    const { validates, cut } = comparison;
    compareResult(recorded, { trainer, run, validates, cut }, checks);
    compareRest();
    const { digest } = run;
    return found({
      digest,
      expected: target.digest,
      ...(ended !== undefined && { difference: ended }),
      ...(comparison.cut && { stopped: { of: comparison.facts!.totalSteps, reason: manifest.result!.stopped! } }),
    });
  } catch (error) {
    const { difference, ended, step } = comparison;
    if (!ended) throw error;
    if (difference) {
      const told = [tell(difference, trainer, manifest), ...numberDifferences(numbers, manifest)].join("; ");
      checks.compared("chain.bin", [`step ${difference.step}: ${told}`]);
      compareRest();
      return found({ expected: target.digest, firstDifference: difference.step, difference: told });
    }
    checks.compared("chain.bin", [], `the links of steps ${from + 1} to ${step}`);
    compareRest();
    checks.trusted("result", `only ${step - from} steps were to be replayed`);
    return found({});
  }
}

/** What the chains, equal as far as both go, don't show. */
function endDifference(
  { manifest }: Recorded,
  { digest: expected }: Target,
  { digest, steps }: { readonly digest: string; readonly steps: number },
): string | undefined {
  const { result } = manifest;
  if (steps !== result!.steps) return `the replay ends at step ${steps}, the run at step ${result!.steps}`;
  if (digest === expected) return undefined;
  return expected === result!.digest
    ? "the final tensors, or the digest in the manifest"
    : `the digest: the folder's own digest ${result!.digest === digest ? "is the replay's" : "differs as well"}`;
}

function tell({ kind, first, second }: ChainDifference, { graphs }: Trainer, manifest: Manifest): string {
  const { train } = manifest.graphs;
  const program = graphs.train === train ? "" : `; the program is another: graph ${graphs.train}, recorded ${train}`;
  return kind === "origin" ? `what the chain begins with${program}` : `${first}, recorded ${second}${program}`;
}

function checkData(folder: string, { data }: Manifest, loader: DataLoader): void {
  for (const [name, digest] of Object.entries(loader.digests)) {
    if (ownValue(data, name) === digest) continue;
    throw new ReproError({
      where: folder,
      problem: `the data ${name} isn't what the run was trained on`,
      got: digest,
      expected: ownValue(data, name) ?? "none",
    });
  }
}

function checkValidation(
  folder: string,
  { validation }: Manifest,
  trainer: Trainer,
  validations: readonly DataLoader[],
): void {
  const other = validationDifference(validation, describeLoaders(trainer, validations));
  if (!other) return;
  throw new ReproError({
    where: folder,
    problem: `the ${other.what} isn't what the run went by`,
    got: other.found,
    expected: other.recorded,
  });
}
