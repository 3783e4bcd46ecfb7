// Verification: a run made again from its folder, in memory, and its chain compared link by link. It writes nothing, and stops at the first
// step that differs: what came before that step is proved equal.
import { float32Bits, fromHex } from "../core/canonical.ts";
import { CheckpointError, ReproError } from "../core/errors.ts";
import { numericsId } from "../core/numerics.ts";
import type { DataLoader } from "../data/loader.ts";
import type { ChainLink } from "../run/chain.ts";
import { readChain } from "../run/chainfile.ts";
import { type Manifest, readManifest } from "../run/manifest.ts";
import { buildTrainer } from "../train/config/build.ts";
import type { TrainerOptions } from "../train/config/options.ts";
import { loadConfig } from "../train/config/parse.ts";
import type { StepResult } from "../train/hooks.ts";
import type { Trainer } from "../train/trainer.ts";
import { type ChainDifference, compareLinks, differenceError } from "./compare.ts";

/** The program of a run, made again. `changes` go over its options. */
export type Rebuild = (changes: Partial<TrainerOptions>) => { readonly trainer: Trainer; readonly train?: DataLoader };

export interface VerifyOptions {
  /** The backend to replay on; the run's own unless given. Any of class A must agree. */
  readonly backend?: string;
  readonly threads?: number;
  /** How a run that was made in code is made again: `(changes) => ({ trainer: new Trainer({ ...options, ...changes }), train })`. A YAML run needs none. */
  readonly rebuild?: Rebuild;
}

export interface Verification {
  readonly equal: boolean;
  /** The replay's digest; undefined where it stopped at a difference. */
  readonly digest?: string;
  /** The digest in the run's manifest. */
  readonly expected: string;
  /** Steps replayed. */
  readonly steps: number;
  /** The first step whose link differs, from 1. */
  readonly firstDifference?: number;
  /** What differs there, or in the end, for a reader. */
  readonly difference?: string;
  readonly backend: string;
}

/** Compares each link as it is made, and ends the replay at one that differs. */
class Comparison {
  readonly #links: readonly ChainLink[];
  steps = 0;
  difference: ChainDifference | undefined;

  constructor(links: readonly ChainLink[]) {
    this.#links = links;
  }

  onTrainStepEnd({ trainer, step, loss }: StepResult): void {
    this.steps = step;
    const { chain, stream } = trainer;
    const link = { step, hash: fromHex(chain!.hash), lossBits: float32Bits(loss), position: stream.position };
    this.difference = compareLinks(step, link, this.#links[step - 1]);
    if (this.difference) throw differenceError(this.difference);
  }
}

/** Replays a finished run from its folder. Throws CheckpointError for a folder that isn't one, ReproError for other numerics or data, or a run made in code without `rebuild`. */
export async function verifyRun(
  folder: string,
  { backend, threads, rebuild }: VerifyOptions = {},
): Promise<Verification> {
  const manifest = readManifest(`${folder}/manifest.json`);
  const { digest: expected, steps } = checkReplayable(folder, manifest);
  const links = readChain(`${folder}/chain.bin`);
  if (links.length !== steps) {
    throw new CheckpointError({
      where: `${folder}/chain.bin`,
      problem: "the chain isn't the run that the manifest tells of",
      got: `${links.length} steps`,
      expected: `${steps}`,
    });
  }
  const comparison = new Comparison(links);
  const changes: Partial<TrainerOptions> = {
    seed: BigInt(manifest.seed),
    modelDir: undefined,
    checkpoint: null,
    loggers: [],
    callbacks: [comparison],
    ...(manifest.deterministic === "warn" && { deterministic: "warn" }),
  };
  const given = { ...(backend !== undefined && { backend }), ...(threads !== undefined && { threads }) };
  const { trainer, train } = rebuild
    ? rebuild({ ...changes, ...given })
    : rebuildFromConfig(folder, manifest, changes, given);
  return replay(trainer, train!, comparison, { folder, manifest, expected });
}

function rebuildFromConfig(
  folder: string,
  { config }: Manifest,
  changes: Partial<TrainerOptions>,
  given: { backend?: string; threads?: number },
): ReturnType<Rebuild> {
  if (config === null) {
    throw new ReproError({
      where: folder,
      problem: "the run was made in code, and no file holds its program",
      hint: "run the program again and compare digests, or give verifyRun how it is made: { rebuild }",
    });
  }
  return buildTrainer(loadConfig(`${folder}/config.yaml`, given), changes);
}

interface Recorded {
  readonly folder: string;
  readonly manifest: Manifest;
  readonly expected: string;
}

async function replay(
  trainer: Trainer,
  loader: DataLoader,
  comparison: Comparison,
  { folder, manifest, expected }: Recorded,
): Promise<Verification> {
  checkData(folder, manifest, loader);
  const { name: backend } = await trainer.backend();
  try {
    const { digest, steps } = await trainer.fit(loader);
    const equal = digest === expected && steps === manifest.result!.steps;
    return { equal, digest, expected, steps, backend, ...(!equal && { difference: differenceAtEnd(steps, manifest) }) };
  } catch (error) {
    const { difference, steps } = comparison;
    if (!difference) throw error;
    return {
      equal: false,
      expected,
      steps,
      firstDifference: difference.step,
      backend,
      difference: tell(difference, trainer, manifest),
    };
  }
}

/** What the chains, equal as far as both go, don't show. */
function differenceAtEnd(steps: number, { result }: Manifest): string {
  return steps === result!.steps
    ? "the final tensors, or the digest in the manifest"
    : `the replay ends at step ${steps}, the run at step ${result!.steps}`;
}

function tell({ kind, first, second }: ChainDifference, { graphs }: Trainer, manifest: Manifest): string {
  const { train } = manifest.graphs;
  const program = graphs.train === train ? "" : `; the program is another: graph ${graphs.train}, recorded ${train}`;
  return kind === "inputs" ? `what went in${program}` : `${first}, recorded ${second}${program}`;
}

/** How a run ended that can be replayed here. */
function checkReplayable(
  folder: string,
  { status, result, numericsId: id }: Manifest,
): NonNullable<Manifest["result"]> {
  if (id !== numericsId) {
    throw new ReproError({
      where: folder,
      problem: "the run was made under other numerics",
      got: id,
      expected: numericsId,
      hint: "verify it with the version that made it",
    });
  }
  if (status !== "finished" || !result) {
    throw new CheckpointError({
      where: folder,
      problem: "the run isn't finished",
      got: status,
      expected: "finished",
      hint: "fit the same config again: it goes on from the last checkpoint",
    });
  }
  return result;
}

function checkData(folder: string, { data }: Manifest, loader: DataLoader): void {
  for (const [name, digest] of Object.entries(loader.digests)) {
    if (data[name] === digest) continue;
    throw new ReproError({
      where: folder,
      problem: `the data ${name} isn't what the run was trained on`,
      got: digest,
      expected: data[name] ?? "none",
    });
  }
}
