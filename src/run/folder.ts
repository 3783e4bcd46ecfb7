// A run's folder while the run goes on: its lock, the chain file, the checkpoints that the chain reaches, and the manifest. It decides whether what lies there is this
// run, and never touches what it doesn't recognise.
import { exists, machine, makeDirectory, writeAtomic } from "#files";
import type { Backend } from "../compile/contract.ts";
import { toHex } from "../core/canonical.ts";
import { CheckpointError } from "../core/errors.ts";
import { numericsId } from "../core/numerics.ts";
import type { ChainLink } from "./chain.ts";
import { ChainFile, readChain } from "./chainfile.ts";
import { dropCheckpointsAfter } from "./checkpoint.ts";
import { compareFacts, deciding, type FactKind, inShort, type RunFacts } from "./facts.ts";
import { type FolderLock, lockFolder } from "./lock.ts";
import { type Manifest, readManifest, writeManifest } from "./manifest.ts";

/** What a manifest says beside the run's facts. */
export interface Written extends Pick<Manifest, "seedGiven" | "deterministic" | "status" | "totalSteps" | "result"> {
  readonly backend: Backend;
  /** What it took, for information. */
  readonly times?: { readonly seconds: number; readonly dataShare?: number };
}

/** A folder that a run has taken. */
export class RunFolder {
  readonly path: string;
  /** As it was found. */
  readonly manifest: Manifest | undefined;
  readonly #lock: FolderLock;
  #chain: ChainFile | undefined;

  private constructor(path: string, lock: FolderLock, manifest: Manifest | undefined) {
    this.path = path;
    this.#lock = lock;
    this.manifest = manifest;
  }

  /** Takes a folder, which is made if it isn't there. Throws CheckpointError when it is in use, or holds another run by the facts of these kinds. */
  static take(path: string, facts: Partial<RunFacts>, kinds: readonly FactKind[] = deciding.resume): RunFolder {
    makeDirectory(path);
    const lock = lockFolder(path);
    try {
      const at = `${path}/manifest.json`;
      const manifest = exists(at) ? readManifest(at) : undefined;
      const folder = new RunFolder(path, lock, manifest);
      folder.check(facts, kinds);
      return folder;
    } catch (error) {
      lock.release();
      throw error;
    }
  }

  /** Throws CheckpointError where the folder's manifest is of another run by the facts of these kinds. */
  check(facts: Partial<RunFacts>, kinds: readonly FactKind[]): void {
    const [other] = this.manifest ? compareFacts(facts, this.manifest, kinds).map(inShort) : [];
    if (!other) return;
    throw new CheckpointError({
      where: `${this.path}/manifest.json`,
      problem: `the folder belongs to a different run: it has another ${other.what}`,
      got: other.second,
      expected: other.first,
      hint: "use another folder (modelDir), or the run's own config",
    });
  }

  get checkpoints(): string {
    return `${this.path}/checkpoints`;
  }

  /** Whether another run has taken the folder since. */
  get lost(): boolean {
    return this.#lock.lost;
  }

  /** Opens the chain file, or makes it. `names`: of the numbers that steps are given. Throws CheckpointError. */
  openChain(names: Iterable<string>): void {
    this.#chain = new ChainFile(`${this.path}/chain.bin`, names);
  }

  /** Goes on after `step`, where the chain has this hash: drops what the folder holds of later steps. An error comes before anything is dropped. */
  cutBack(step: number, hash: string, checkpoint?: string): void {
    const chain = this.#chain!;
    const adopted = checkpoint && foreignChain(chain, checkpoint, step, hash);
    if (!adopted) chain.check(step, hash);
    // Checkpoints first: at no moment may there be one that the chain doesn't reach.
    dropCheckpointsAfter(this.checkpoints, step === 0 && checkpoint === undefined ? -1 : step);
    if (adopted) chain.replace(adopted);
    else chain.cutBack(step);
  }

  /** Adds a link to the chain file, which is written now and then. */
  append(link: ChainLink): void {
    this.#lock.beat();
    this.#chain!.append(link);
  }

  /** Has the chain file hold these numbers too. */
  widen(names: readonly string[]): void {
    this.#chain!.widen(names);
  }

  /** Writes the links that wait, onto the disk: before a checkpoint is saved. */
  flush(): void {
    this.#lock.check();
    this.#chain?.flush({ durable: true });
  }

  /** Writes a file of the folder, all at once. */
  write(name: string, text: string): void {
    writeAtomic(`${this.path}/${name}`, new TextEncoder().encode(text));
  }

  writeManifest(facts: RunFacts, { backend, times, ...others }: Written): void {
    writeManifest(`${this.path}/manifest.json`, {
      ...facts,
      ...others,
      format: 1,
      numericsId,
      ...(backend.certificate && { certificate: backend.certificate }),
      environment: {
        backend: backend.name,
        class: backend.class,
        threads: backend.threads,
        vectorWidth: backend.target.vectorWidth,
        time: new Date().toISOString(),
        ...machine(),
        ...(times && { seconds: times.seconds }),
        ...(times?.dataShare !== undefined && { dataShare: times.dataShare }),
      },
    });
  }

  /** Gives the folder back. */
  close(): void {
    this.#lock.release();
  }
}

/** The chain that a checkpoint from another folder brings along, where that folder has it and the run's own doesn't. */
function foreignChain(own: ChainFile, checkpoint: string, step: number, hash: string): ChainLink[] | undefined {
  if (step === 0 || own.has(step, hash)) return undefined;
  const path = [...checkpoint.split("/").slice(0, -2), "chain.bin"].join("/");
  if (!exists(path) || path === own.path) return undefined;
  const links = readChain(path, step);
  return links.length === step && toHex(links[step - 1].hash) === hash ? links : undefined;
}
