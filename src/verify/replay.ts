// A run's folder judged by its program, run again: its chain compared link by link, whole, or from one of its checkpoints, to the end or for some
// steps; its checkpoints at their steps; and in the end all that the folder says of it. It writes nothing, and stops at the first step that differs:
// what came before that step is proved equal.
import { ReproError } from "../core/errors.ts";
import type { ChainDifference } from "../run/compare.ts";
import { compareFacts, inShort, type KindDifference, type RunFacts } from "../run/facts.ts";
import type { Manifest } from "../run/manifest.ts";
import type { Verification } from "../run/verification.ts";
import type { TrainerView } from "../train/contract.ts";
import type { Rebuild, ReplayOptions } from "../train/replay.ts";
import { describeLoaders } from "../train/validations.ts";
import { Checks, phrase } from "./checks.ts";
import { Comparison } from "./comparison.ts";
import { type Recorded, readRecorded, type Target, targetOf } from "./folder.ts";
import { addTrusted, compareProgram, compareResult } from "./program.ts";
import { remake } from "./remake.ts";

/** Replays a run from its folder. Throws CheckpointError for a folder that holds no run, or no checkpoint at `from`, ReproError for other numerics or data, ConfigError for options that don't fit. */
export async function replayRun(folder: string, rebuild: Rebuild, options: ReplayOptions = {}): Promise<Verification> {
  const recorded = readRecorded(folder, options);
  const { manifest, from, checkpoint } = recorded;
  const target = targetOf(recorded, options.against);
  const checks = new Checks();
  const comparison = new Comparison(recorded, () => validations, checks);
  const { trainer, train, validations } = remake(folder, rebuild, {
    ...changesOf(manifest),
    callbacks: [comparison],
    backend: options.backend,
    threads: options.threads,
  });
  const checkSame = ([other]: readonly KindDifference[], problem: string) => {
    if (!other) return;
    const { what, first: expected, second: got } = other;
    throw new ReproError({ where: folder, problem: `the ${what} ${problem}`, got, expected });
  };
  const data = compareFacts(manifest, { data: train.digests }, ["data"]).filter(({ second }) => second !== "none");
  checkSame(data, "isn't what the run was trained on");
  const validation = describeLoaders(trainer, validations);
  checkSame(compareFacts(manifest, { validation }, ["validation"]), "isn't what the run went by");
  const { name: backend, threads, target: runs } = await trainer.backend();
  const found = (facts: Partial<Verification>): Verification => ({
    ...facts,
    ...checks.conclude(facts),
    from,
    steps: comparison.step - from,
    backend,
    threads,
    vectorWidth: runs.vectorWidth,
  });
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
      ...(comparison.cut && { stopped: { of: comparison.totalSteps!, reason: manifest.result!.stopped! } }),
    });
  } catch (error) {
    const { difference, ended, step } = comparison;
    if (!ended) throw error;
    if (difference) {
      const told = [tell(difference, trainer, manifest), ...otherNumbers(manifest, comparison.facts!)].join("; ");
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

function tell({ kind, first, second }: ChainDifference, { graphs }: TrainerView, manifest: Manifest): string {
  const { train } = manifest.graphs;
  const program = graphs.train === train ? "" : `; the program is another: graph ${graphs.train}, recorded ${train}`;
  return kind === "origin" ? `what the chain begins with${program}` : `${first}, recorded ${second}${program}`;
}

/** Numbers of the optimizer and what goes with it that a program has otherwise than a run, a phrase each; those of loader and validation show elsewhere. */
function otherNumbers(manifest: Manifest, facts: RunFacts): string[] {
  const ofLoop = /^(loader\/|validation\/|stepsPerEpoch$)/;
  const others = compareFacts(manifest, facts, ["numbers"]).filter(({ what }) => !ofLoop.test(what));
  return others.map(inShort).map(phrase);
}

/** What a replay of a run needs beside its program. */
export function changesOf({ seed, deterministic }: Manifest): Parameters<Rebuild>[0] {
  return { seed: BigInt(seed), ...(deterministic === "warn" && { deterministic: "warn" }) };
}
