// Verification: a run made again from its folder, in memory, and its chain compared link by link. It writes nothing, and stops at the first
// step that differs: what came before that step is proved equal.
import { toHex } from "../core/canonical.ts";
import { CheckpointError, ReproError } from "../core/errors.ts";
import { numericsId } from "../core/numerics.ts";
import type { DataLoader } from "../data/loader.ts";
import type { ChainLink } from "../run/chain.ts";
import { readChain } from "../run/chainfile.ts";
import { type Manifest, readManifest } from "../run/manifest.ts";
import { buildTrainer } from "../train/config/build.ts";
import { loadConfig } from "../train/config/parse.ts";
import type { StepResult } from "../train/hooks.ts";
import type { Trainer } from "../train/trainer.ts";

export interface VerifyOptions {
  /** The backend to replay on; the run's own unless given. Any of class A must agree. */
  readonly backend?: string;
  readonly threads?: number;
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
  readonly backend: string;
}

/** Compares each link as it is made, and ends the replay at one that differs. */
class Comparison {
  readonly #links: readonly ChainLink[];
  steps = 0;
  firstDifference: number | undefined;

  constructor(links: readonly ChainLink[]) {
    this.#links = links;
  }

  onTrainStepEnd({ trainer, step }: StepResult): void {
    this.steps = step;
    const recorded = this.#links[step - 1];
    const replayed = trainer.chain!.hash;
    if (recorded && toHex(recorded.hash) === replayed) return;
    this.firstDifference = step;
    throw new ReproError({
      where: `step ${step}`,
      problem: "the replay differs from the run",
      got: replayed,
      expected: recorded ? toHex(recorded.hash) : "no such step",
    });
  }
}

/** Replays a finished run of a YAML config from its folder. Throws CheckpointError for a folder that isn't one, ReproError for other numerics or a run made in code. */
export async function verifyRun(folder: string, { backend, threads }: VerifyOptions = {}): Promise<Verification> {
  const manifest = readManifest(`${folder}/manifest.json`);
  const expected = checkReplayable(folder, manifest);
  const links = readChain(`${folder}/chain.bin`);
  const config = loadConfig(`${folder}/config.yaml`, { backend, threads });
  const comparison = new Comparison(links);
  const { trainer, train } = buildTrainer(config, {
    modelDir: undefined,
    checkpoint: null,
    loggers: [],
    callbacks: [comparison],
  });
  return replay(trainer, train!, comparison, { folder, manifest, expected });
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
  const { name } = await trainer.backend();
  try {
    const { digest, steps } = await trainer.fit(loader);
    return { equal: digest === expected, digest, expected, steps, backend: name };
  } catch (error) {
    const { firstDifference, steps } = comparison;
    if (firstDifference === undefined) throw error;
    return { equal: false, expected, steps, firstDifference, backend: name };
  }
}

/** The recorded digest of a run that can be replayed here. */
function checkReplayable(folder: string, { status, result, config, numericsId: id }: Manifest): string {
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
  if (config === null) {
    throw new ReproError({
      where: folder,
      problem: "the run was made in code, and no file holds its program",
      hint: "run the program again and compare digests",
    });
  }
  return result.digest;
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
