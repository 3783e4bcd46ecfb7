// A run made again from its folder, in memory, and its chain compared link by link: whole, or from one of its checkpoints, to the end or for
// some steps. It writes nothing, and stops at the first step that differs: what came before that step is proved equal.

import { exists } from "#files";
import type { Backend } from "../backend/contract.ts";
import type { Threads } from "../backend/load.ts";
import { toHex } from "../core/canonical.ts";
import { CheckpointError, ConfigError, ReproError } from "../core/errors.ts";
import { checkKeys, ownValue } from "../core/keys.ts";
import type { DataLoader } from "../data/loader.ts";
import type { ChainLink } from "../run/chain.ts";
import { readChain } from "../run/chainfile.ts";
import { listCheckpoints, loadCheckpoint } from "../run/checkpoint.ts";
import { type ChainDifference, compareLinks, differenceError } from "../run/compare.ts";
import { type Manifest, readManifest, type ValidationData } from "../run/manifest.ts";
import type { TrainerOptions } from "./config/options.ts";
import { numberDifferences, optimizerNumbers } from "./describe.ts";
import { listOf } from "./evaluate.ts";
import type { Callback, StepResult } from "./hooks.ts";
import type { Trainer } from "./trainer.ts";
import { recordedValidation, validationDifference } from "./validations.ts";

/** The program of a run, made again: a new Trainer, with `changes` over its options, and its loaders; `val` where a schedule goes by validation. */
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

/** What a replay found. */
export interface Verification {
  readonly equal: boolean;
  /** The replay's digest; undefined where it stopped before the end. */
  readonly digest?: string;
  /** The digest that was to come out, where the replay was to go to the end. */
  readonly expected?: string;
  /** The step it began at. */
  readonly from: number;
  /** Steps replayed. */
  readonly steps: number;
  /** The first step whose link differs, from 1. */
  readonly firstDifference?: number;
  /** What differs there, or in the end, for a reader. */
  readonly difference?: string;
  readonly backend: string;
  readonly threads: number;
}

/** Compares each link as it is made, and ends the replay at one that differs, or at the last one asked for. */
class Comparison {
  readonly #links: readonly ChainLink[];
  readonly #last: number;
  /** Whether the recorded run ended before its loop's limits did: the replay ends there too. */
  readonly #stopped: boolean;
  step: number;
  difference: ChainDifference | undefined;
  /** Whether the replay was ended here, and is no failure. */
  ended = false;

  constructor(links: readonly ChainLink[], from: number, last: number, stopped: boolean) {
    this.#links = links;
    this.#stopped = stopped;
    this.#last = last;
    this.step = from;
  }

  onTrainStepEnd({ trainer, step }: StepResult): void {
    this.step = step;
    this.difference = compareLinks(step, trainer.chain!.last, this.#links[step - 1]);
    this.ended = this.difference !== undefined || step === this.#last;
    if (this.difference) throw differenceError(this.difference);
    if (this.ended) throw new ReproError({ where: `step ${step}`, problem: "the replay was to end here" });
    if (this.#stopped && step === this.#links.length) trainer.stop("the recorded run ends here");
  }
}

/** The callbacks that a replay needs: all but those that say they only watch. */
export function replayed(callbacks: readonly Callback[]): Callback[] {
  return callbacks.filter((callback) => callback.changesTraining !== false);
}

/** What a run's folder says, as far as a replay needs it. */
interface Recorded {
  readonly folder: string;
  readonly manifest: Manifest;
  readonly links: readonly ChainLink[];
  readonly from: number;
  /** The step after which to stop; Infinity for the end. */
  readonly last: number;
  readonly checkpoint: string | null;
}

/** Replays a run from its folder. Throws CheckpointError for a folder that holds no run, one of other numerics, or no checkpoint at `from`, ReproError for other data, ConfigError for options that don't fit. */
export async function replayRun(folder: string, rebuild: Rebuild, options: ReplayOptions = {}): Promise<Verification> {
  checkKeys("verify", options, ["backend", "threads", "from", "steps", "against"]);
  const recorded = read(folder, options);
  const { manifest, links, from, last, checkpoint } = recorded;
  const target = targetOf(recorded, options.against);
  const comparison = new Comparison(links, from, last, manifest.result?.stopped !== undefined);
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
  checkData(folder, manifest, train);
  const steering = trainer.schedules?.steering.length ? listOf(val) : [];
  checkValidation(folder, manifest, recordedValidation(trainer, steering));
  // As they are before a callback moves them.
  const numbers = optimizerNumbers(trainer);
  const { name: backend, threads } = await trainer.backend();
  const found = (facts: Omit<Verification, "from" | "steps" | "backend" | "threads">): Verification => ({
    ...facts,
    from,
    steps: comparison.step - from,
    backend,
    threads,
  });
  try {
    const { digest, steps } = await trainer.fit(train, steering, { ckptPath: checkpoint });
    comparison.step = steps;
    const { digest: expected } = target;
    const difference = endDifference(recorded, target, digest, steps) ?? target.differences[0];
    return found({
      equal: difference === undefined,
      digest,
      expected,
      ...(difference !== undefined && { difference }),
    });
  } catch (error) {
    const { difference, ended } = comparison;
    if (!ended) throw error;
    if (!difference) return found({ equal: true });
    return found({
      equal: false,
      expected: target.digest,
      firstDifference: difference.step,
      difference: [tell(difference, trainer, manifest), ...numberDifferences(numbers, manifest)].join("; "),
    });
  }
}

function read(folder: string, { from = 0, steps, against }: ReplayOptions): Recorded {
  const manifest = readManifest(`${folder}/manifest.json`);
  checkCount("from", from, 0);
  if (steps !== undefined) checkCount("steps", steps, 1);
  const { status, result } = manifest;
  const finished = status === "finished" && result !== undefined;
  const last = steps === undefined ? Number.POSITIVE_INFINITY : from + steps;
  const whole = finished && last >= result.steps;
  const unfinished = (there: string) =>
    new CheckpointError({
      where: folder,
      problem: "the run isn't finished",
      got: `${status}${there}`,
      expected: "finished",
      hint: "verify the steps there are, with `steps`; or fit the same config again: it goes on from the last checkpoint",
    });
  if (!finished && steps === undefined) throw unfinished("");
  const links = readChain(`${folder}/chain.bin`);
  if (!finished && last > links.length) throw unfinished(`, ${links.length} steps`);
  if (finished && links.length !== result.steps) {
    throw new CheckpointError({
      where: `${folder}/chain.bin`,
      problem: "the chain isn't the run that the manifest tells of",
      got: `${links.length} steps`,
      expected: `${result.steps}`,
    });
  }
  if (against !== undefined && !whole) {
    throw new ConfigError({
      where: "against",
      problem: "a digest is of a run's end, and the replay is to stop before",
      got: `${steps} steps from step ${from}`,
      expected: finished ? `all ${result.steps - from}` : "a finished run",
      hint: "leave out `steps`",
    });
  }
  const recorded = { folder, manifest, links, from, last: whole ? Number.POSITIVE_INFINITY : last };
  return { ...recorded, checkpoint: from === 0 ? null : checkpointAt(recorded) };
}

function checkCount(where: string, value: number, least: number): void {
  if (Number.isSafeInteger(value) && value >= least) return;
  throw new ConfigError({
    where,
    problem: "not a number of steps",
    got: String(value),
    expected: `an integer ≥ ${least}`,
  });
}

/** The run's checkpoint at a step, checked to be the chain's. */
function checkpointAt({ folder, from, links }: Omit<Recorded, "checkpoint">): string {
  const all = listCheckpoints(`${folder}/checkpoints`);
  const entry = all.find(({ step }) => step === from);
  if (!entry) {
    throw new CheckpointError({
      where: `${folder}/checkpoints`,
      problem: "there is no checkpoint at the step to begin from",
      got: `step ${from}`,
      expected: all.length > 0 ? `one of ${all.map(({ step }) => step).join(", ")}, or 0` : "0: the run kept none",
    });
  }
  const path = `${folder}/checkpoints/${entry.file}`;
  const { chain } = loadCheckpoint(path).state;
  const link = links[from - 1];
  if (!link || toHex(link.hash) !== chain) {
    throw new CheckpointError({
      where: path,
      problem: `the chain at step ${from} isn't the checkpoint's`,
      got: chain,
      expected: link ? toHex(link.hash) : `a chain of at least ${from} steps`,
    });
  }
  return path;
}

/** What must come out. */
interface Target {
  readonly digest?: string;
  /** Where a manifest to compare with tells of another run than the folder's. */
  readonly differences: readonly string[];
}

function targetOf({ manifest, last }: Recorded, against: string | undefined): Target {
  if (against === undefined)
    return { digest: last === Number.POSITIVE_INFINITY ? manifest.result?.digest : undefined, differences: [] };
  const { digest, manifest: other } = published(against);
  return { digest, differences: other ? manifestDifferences(manifest, other) : [] };
}

/** What someone published of a run: a digest, or the manifest that holds it, by path or by its folder's. Throws ConfigError for neither, CheckpointError for a manifest without a result. */
export function published(against: string): { readonly digest: string; readonly manifest?: Manifest } {
  if (/^(warn:)?[0-9a-f]{64}$/.test(against)) return { digest: against };
  const path = exists(`${against}/manifest.json`) ? `${against}/manifest.json` : against;
  if (!exists(path)) {
    throw new ConfigError({
      where: "against",
      problem: "neither a digest nor a manifest",
      got: against,
      expected: "64 hex digits, a manifest.json, or a run's folder",
    });
  }
  const manifest = readManifest(path);
  if (!manifest.result)
    throw new CheckpointError({ where: path, problem: "the manifest holds no result", got: manifest.status });
  return { digest: manifest.result.digest, manifest };
}

/** In which of the facts that a digest stands for two manifests differ, for a reader. */
function manifestDifferences(a: Manifest, b: Manifest): string[] {
  const data = Object.keys({ ...a.data, ...b.data }).sort();
  const facts: (readonly [string, string | undefined, string | undefined])[] = [
    ["seed", a.seed, b.seed],
    ["graph", a.graphs.train, b.graphs.train],
    ...data.map((name) => [`data ${name}`, ownValue(a.data, name), ownValue(b.data, name)] as const),
  ];
  return facts
    .filter(([, x, y]) => x !== y)
    .map(([what, x = "none", y = "none"]) => `${what}: the run has ${x}, what it is held against ${y}`);
}

/** What the chains, equal as far as both go, don't show. */
function endDifference(
  { manifest }: Recorded,
  { digest: expected }: Target,
  digest: string,
  steps: number,
): string | undefined {
  const { result } = manifest;
  if (steps !== result!.steps) return `the replay ends at step ${steps}, the run at step ${result!.steps}`;
  if (digest === expected) return undefined;
  return expected === result!.digest
    ? "the final tensors, or the digest in the manifest"
    : `the digest: the run's own is ${result!.digest === digest ? "the replay's" : "another too"}`;
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

function checkValidation(folder: string, { validation }: Manifest, given: readonly ValidationData[] | undefined): void {
  const other = validationDifference(validation, given);
  if (!other) return;
  throw new ReproError({
    where: folder,
    problem: `the ${other.what} isn't what the run's schedule went by`,
    got: other.found,
    expected: other.recorded,
  });
}
