// A run's folder in a store, as it was when a checkpoint was whole. Files lie under their SHA-256, and a snapshot that lists them is put last: whatever a
// machine was doing when it died, the newest snapshot is one to go on from. Each writer has a snapshot of its own, so that two which make one run at once,
// the second because the first was thought dead, overwrite nothing of each other's; both make the same bits, and whichever got further is read.
import { exists, makeDirectory, modifiedAt, read, size, temporarySuffix, writeAtomic } from "#files";
import { canonicalJson, sha256Hex } from "../core/canonical.ts";
import { CheckpointError, ReproError } from "../core/errors.ts";
import { listCheckpoints } from "../run/checkpoint.ts";
import {
  checkFields,
  type FieldCheck,
  isCount,
  isHash,
  isRecord,
  isText,
  listOf,
  maybe,
  shaped,
  tryJson,
} from "../run/fields.ts";
import { readManifest } from "../run/manifest.ts";
import type { Statement } from "../verify/attestation.ts";
import type { Part } from "./check.ts";
import { filesOf } from "./folders.node.ts";
import type { Store } from "./store.ts";

/** Who writes: of two writers of a run the one with the higher number was given it later. */
export interface Writer {
  readonly turn: number;
  /** Letters and digits, told from all others'. */
  readonly id: string;
  /** Its public key, where it has one. */
  readonly key?: string;
}

/** What a snapshot lists. */
export interface Snapshot {
  readonly format: 1;
  readonly writer: Writer;
  /** Who made the run, part by part: the writers whose snapshots were resumed, and this one. */
  readonly parts: readonly Part[];
  /** Of the newest checkpoint in it; of a finished run, the last. */
  readonly step: number;
  /** Of a finished run. */
  readonly digest?: string;
  /** SHA-256 by path in the folder. */
  readonly files: Readonly<Record<string, string>>;
}

/** Whether a text may be the id of a writer, or of a check: it is part of paths. */
export const isId = (value: unknown): boolean => isText(value) && /^[A-Za-z0-9-]{1,200}$/.test(value);
const isPath = (path: string): boolean =>
  path.split("/").every((part) => /^[^\\\0]+$/.test(part) && part !== "." && part !== "..");

const checks: Readonly<Record<keyof Snapshot, FieldCheck>> = {
  format: ["1", (value) => value === 1],
  writer: ["a turn and an id of letters, digits and -", shaped({ turn: isCount, id: isId })],
  parts: [
    "writers, each with the step that it went on from",
    listOf(shaped({ by: isText, key: maybe(isHash), from: isCount })),
  ],
  step: ["a count", isCount],
  digest: ["64 hex digits, after warn: or not", maybe((value) => isText(value) && isHash(value.replace(/^warn:/, "")))],
  files: [
    "SHA-256 by path in the folder",
    (value) => isRecord(value) && Object.entries(value).every(([path, hash]) => isPath(path) && isHash(hash)),
  ],
};

/** A run in a store, by its name. */
export class StoredRun {
  readonly #store: Store;
  readonly #folder: string;
  /** What this process has put there, or read back whole. */
  readonly #there = new Set<string>();
  /** Checkpoints that were read before, by path: they are written once, and may be large. */
  readonly #put = new Map<string, Known>();
  #published: Snapshot | undefined;
  /** What was restored last: a run that is published after it goes on from there. */
  #begun: Snapshot | undefined;
  /** As they were last read. */
  #seen: readonly Snapshot[] = [];

  constructor(store: Store, name: string) {
    this.#store = store;
    this.#folder = `runs/${name}`;
  }

  get where(): string {
    return `${this.#store.where}/${this.#folder}`;
  }

  #object = (hash: string) => `${this.#folder}/objects/${hash}`;
  #statement = (check: string) => `${this.#folder}/attestations/${check && `${check}.json`}`;
  #index = ({ turn, id }: Writer) => `${this.#folder}/snapshots/${turn}-${id}.json`;

  /** The snapshots that there are: finished ones first, then those that got further. Throws CheckpointError for one that is damaged, ReproError where two writers came to two digests. */
  async snapshots(): Promise<readonly Snapshot[]> {
    const found: Snapshot[] = [];
    for (const key of await this.#store.list(`${this.#folder}/snapshots/`)) {
      const bytes = await this.#store.get(key);
      // Another writer may remove what it no longer needs between the list and the reading.
      if (bytes === undefined) continue;
      const where = `${this.#store.where}/${key}`;
      const snapshot = tryJson(new TextDecoder().decode(bytes));
      checkFields(where, "a snapshot", snapshot, checks);
      found.push(snapshot as Snapshot);
    }
    found.sort(
      (a, b) =>
        Number(b.digest !== undefined) - Number(a.digest !== undefined) ||
        b.step - a.step ||
        b.writer.turn - a.writer.turn,
    );
    this.#seen = found;
    const [first, ...others] = found.filter(({ digest }) => digest !== undefined);
    const other = others.find(({ digest }) => digest !== first.digest);
    if (other)
      throw new ReproError({
        where: this.where,
        problem: "two machines made this run and came to two digests",
        got: `${other.digest} (${other.writer.id})`,
        expected: `${first.digest} (${first.writer.id})`,
        hint: "fetch both and see where they part: seedgrad diff A B",
      });
    return found;
  }

  /** The digest of the run, where somebody has finished it. */
  async digest(): Promise<string | undefined> {
    return (await this.snapshots())[0]?.digest;
  }

  /** Puts a folder's files, then the writer's snapshot of them; what no snapshot lists any more is removed after it. Throws CheckpointError. */
  async publish(folder: string, writer: Writer): Promise<void> {
    const { files: taken, step, digest } = await takeFiles(folder, this.#put);
    const files: Record<string, string> = {};
    for (const [path, { bytes, stamp, hash = sha256Hex(bytes!) }] of taken) {
      if (bytes && !this.#there.has(hash)) await this.#store.put(this.#object(hash), bytes);
      this.#there.add(hash);
      this.#put.set(path, { stamp, hash });
      files[path] = hash;
    }
    const { id: by, key } = writer;
    const parts = [
      ...(this.#begun?.parts ?? []),
      { by, ...(key !== undefined && { key }), from: this.#begun?.step ?? 0 },
    ];
    const snapshot: Snapshot = { format: 1, writer, parts, step, ...(digest !== undefined && { digest }), files };
    await this.#store.put(this.#index(writer), new TextEncoder().encode(`${JSON.stringify(snapshot)}\n`));
    const earlier = this.#published;
    this.#published = snapshot;
    const others = this.#seen.filter((seen) => seen.writer.id !== writer.id || seen.writer.turn !== writer.turn);
    if (earlier) await this.#dropObjects(earlier, [snapshot, ...others]);
  }

  /** Publishes a finished run, unless another writer has finished it meanwhile, and removes what was kept for going on with it. Throws ReproError where the other came to another digest: both are kept then. */
  async finish(folder: string, writer: Writer, digest: string): Promise<void> {
    if ((await this.digest()) !== digest) await this.publish(folder, writer);
    const [result, ...others] = await this.snapshots();
    for (const other of others.filter((snapshot) => snapshot.digest === undefined)) {
      await this.#store.remove(this.#index(other.writer));
      await this.#dropObjects(other, [result]);
    }
  }

  /** Removes the objects that a snapshot listed, but for those that others list. */
  async #dropObjects(earlier: Snapshot, others: readonly Snapshot[]): Promise<void> {
    const listed = new Set(others.flatMap(({ files }) => Object.values(files)));
    for (const hash of Object.values(earlier.files)) {
      if (listed.has(hash)) continue;
      await this.#store.remove(this.#object(hash));
      this.#there.delete(hash);
    }
  }

  /** Puts a signed statement about the run beside it, under the name of the check that it is of. */
  async attest(statement: Statement, check: string): Promise<void> {
    await this.#store.put(this.#statement(check), new TextEncoder().encode(`${canonicalJson(statement)}\n`));
  }

  /** The statements about the run, a line each, as `attestations.jsonl` has them. Nobody's word is taken here: whoever reads them judges. */
  async statements(): Promise<string[]> {
    const keys = await this.#store.list(this.#statement(""));
    const found = await Promise.all(keys.map((key) => this.#store.get(key)));
    return found
      .flatMap((bytes) => (bytes ? new TextDecoder().decode(bytes).split("\n") : []))
      .filter((line) => line !== "");
  }

  /** Writes a snapshot's files into a folder. Throws CheckpointError for a file that is gone, or isn't what was put there. */
  async restore(snapshot: Snapshot, folder: string): Promise<void> {
    for (const [path, hash] of Object.entries(snapshot.files)) {
      const bytes = await this.#store.get(this.#object(hash));
      const got = bytes && sha256Hex(bytes);
      if (bytes === undefined || got !== hash) {
        throw new CheckpointError({
          where: `${this.where}: ${path}`,
          problem: bytes ? "its content isn't what was put there" : "the store has lost it",
          got: got ?? "nothing",
          expected: hash,
          hint: "the run is made again from an earlier state",
        });
      }
      this.#there.add(hash);
      const at = `${folder}/${path}`;
      makeDirectory(at.slice(0, at.lastIndexOf("/")));
      writeAtomic(at, bytes);
    }
    this.#begun = snapshot;
  }
}

/** What only says who is at work, or is half written. */
const passing = /(^|\/)lock(-[^/]*)?$/;

/** How often a folder that changes is read anew, and milliseconds between. */
const attempts = 50;
const pause = 20;

/** A file that was put into the store: when it was written and how long it was, and its SHA-256. */
interface Known {
  readonly stamp: string;
  readonly hash: string;
}

interface TakenFile {
  readonly stamp: string;
  /** Of a file that was known. */
  readonly hash?: string;
  readonly bytes?: Uint8Array;
}

interface Taken extends Pick<Snapshot, "step" | "digest"> {
  readonly files: ReadonlyMap<string, TakenFile>;
}

/** A run's folder as it is at one moment. Throws CheckpointError where it holds no run, or never stays as it is for long enough to be read. */
async function takeFiles(folder: string, known: ReadonlyMap<string, Known>): Promise<Taken> {
  for (let attempt = 0; attempt < attempts; attempt++) {
    const taken = tryTake(folder, known);
    if (taken) return taken;
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
  throw new CheckpointError({
    where: folder,
    problem: "the checkpoints change before they can be read, or not all that the index names are there",
    hint: "save less often, or keep more: checkpoint: {steps, keep}",
  });
}

/** Undefined where the run that goes on in the folder replaced a checkpoint meanwhile. */
function tryTake(folder: string, known: ReadonlyMap<string, Known>): Taken | undefined {
  const { status, result } = readManifest(`${folder}/manifest.json`);
  const index = `${folder}/checkpoints/index.json`;
  const before = exists(index) ? sha256Hex(read(index, CheckpointError)) : undefined;
  const checkpoints = listCheckpoints(`${folder}/checkpoints`);
  const named = new Set(checkpoints.map(({ file }) => `checkpoints/${file}`));
  const files = new Map<string, TakenFile>();
  try {
    for (const path of filesOf(folder)) {
      if (passing.test(path) || path.endsWith(temporarySuffix)) continue;
      const isCheckpoint = /^checkpoints\/.*\.safetensors$/.test(path);
      // What the index doesn't name may not be whole.
      if (isCheckpoint && !named.has(path)) continue;
      const at = `${folder}/${path}`;
      const stamp = `${modifiedAt(at)} ${size(at, CheckpointError)}`;
      const earlier = isCheckpoint ? known.get(path) : undefined;
      files.set(path, earlier?.stamp === stamp ? earlier : { stamp, bytes: read(at, CheckpointError) });
    }
  } catch (error) {
    if (((error as Error).cause as { code?: string })?.code === "ENOENT") return undefined;
    throw error;
  }
  const after = files.get("checkpoints/index.json")?.bytes;
  if ((after && sha256Hex(after)) !== before || [...named].some((path) => !files.has(path))) return undefined;
  const finished = status === "finished" ? result : undefined;
  return { step: finished?.steps ?? checkpoints.at(-1)?.step ?? 0, digest: finished?.digest, files };
}
