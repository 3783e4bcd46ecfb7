// Checkpoints: one safetensors file each, with the run's state as JSON in its metadata; and an index that names the files that are whole. A
// file is written beside its place, flushed and renamed, and only then entered in the index: a write that was cut off is never loaded.
import { exists, list, remove, temporarySuffix, writeAtomic } from "#files";
import type { HostArray } from "../core/array.ts";
import { CheckpointError } from "../core/errors.ts";
import { ownValue } from "../core/keys.ts";
import type { TableState } from "../data/dataset.ts";
import { readSafetensors, type Safetensors, writeSafetensors } from "../io/safetensors.ts";
import { checkSeal, sealed, stateText } from "../io/sealed.ts";
import { compareFacts, deciding, hintOf } from "./facts.ts";
import {
  checkFields,
  checkNumerics,
  type FieldCheck,
  isCount,
  isFlag,
  isHash,
  isNumber,
  isRecord,
  isSeed,
  isText,
  isTexts,
  listOf,
  maybe,
  numberOf,
  numbersOf,
  numbersText,
  numberText,
  orNull,
  readJson,
  recordOf,
  shaped,
  tryJson,
} from "./fields.ts";
import { makeInside, refuseLink } from "./inside.ts";

/** Where a run stands: with the tensors, all that its next step depends on. */
export interface RunState {
  /** Of this record. */
  readonly format: 1;
  readonly numericsId: string;
  /** The training step's. */
  readonly graphHash: string;
  /** Decimal. */
  readonly seed: string;
  /** Optimizer steps taken. */
  readonly step: number;
  /** The stream's position. */
  readonly position: number;
  /** The loader's: epoch from 0, the offset of the epoch's draws (null at a border), batches taken. */
  readonly loader: { readonly epoch: number; readonly offset: number | null; readonly cursor: number };
  /** hₜ, 64 hex digits. */
  readonly chain: string;
  readonly loss: number | null;
  readonly metrics: Readonly<Record<string, number>>;
  /** Steps that the optimizer counts, where they aren't the run's: it began with the state of another. */
  readonly optimizerSteps?: number;
  /** Steps that each optimizer of a loop of one's own counts, by the name it is kept under. */
  readonly optimizers?: Readonly<Record<string, number>>;
  /** The names of the inputs' columns, where the training data are a table. */
  readonly columns?: readonly string[];
  /** How a table's columns became inputs, by what was learned of the rows that are trained on. */
  readonly table?: TableState;
  /** What callbacks keep, by name. */
  readonly callbacks?: Readonly<Record<string, unknown>>;
}

/** A checkpoint as read. */
export interface Checkpoint {
  readonly path: string;
  readonly state: RunState;
  /** By full name: `parameter/…`, `buffer/…`, `optimizer/…`. */
  readonly tensors: ReadonlyMap<string, HostArray>;
}

/** An entry of the index. */
export interface CheckpointEntry {
  /** The file's name in the folder. */
  readonly file: string;
  readonly step: number;
  /** The values of the validation that followed the step, if one did. */
  readonly metrics?: Readonly<Record<string, number>>;
  /** Written for these values alone: deleted once no longer among the top k. */
  readonly best?: boolean;
}

/** Which checkpoints are kept for a metric: the `k` with the least (`min`) or largest values. */
export interface KeepBest {
  readonly metric: string;
  readonly mode: "min" | "max";
  readonly k: number;
}

/** What becomes of older checkpoints when one is saved. */
export interface SaveOptions extends Pick<CheckpointEntry, "metrics" | "best"> {
  /** Only the newest so many stay, beside the best ones. */
  readonly keep?: number;
  readonly keepBest?: KeepBest;
}

const indexName = "index.json";

/** The index of a folder: its finished checkpoints, and files that were dropped from it and may still have to be removed. */
interface Index {
  readonly checkpoints: readonly CheckpointEntry[];
  readonly removed: readonly string[];
}

/** A checkpoint's file as this module names them: nothing else is believed to be one, and nothing else removed. */
const isFile = (value: unknown): value is string =>
  isText(value) && value.length <= 255 && /^[A-Za-z0-9._-]+\.safetensors$/.test(value);
const fileForm = "a name of letters, digits, dots, _ and - that ends with .safetensors";
const indexChecks: Readonly<Record<keyof Index, FieldCheck>> = {
  checkpoints: [
    `checkpoints, each with its step and a file: ${fileForm}`,
    listOf(shaped({ file: isFile, step: isCount, metrics: maybe(recordOf(isNumber)), best: maybe(isFlag) })),
  ],
  removed: [`files: each ${fileForm}`, listOf(isFile)],
};

/** The checkpoint files that lie in a folder. */
function filesIn(folder: string): string[] {
  return exists(folder) ? list(folder, CheckpointError).filter(isFile) : [];
}

function readIndex(folder: string): Index {
  const path = `${folder}/${indexName}`;
  if (!exists(path)) {
    const files = filesIn(folder);
    if (files.length === 0) return { checkpoints: [], removed: [] };
    throw new CheckpointError({
      where: path,
      problem: "the index of checkpoints is gone, and beside it lie checkpoints",
      got: files.join(", "),
      hint: "put it back; or name a checkpoint file (ckptPath, --ckpt), or null (--ckpt none) to begin anew",
    });
  }
  const hint = "name a checkpoint file, or start without one";
  const index = readJson(path, "the index of checkpoints isn't JSON", hint);
  checkFields(path, "an index of checkpoints", index, indexChecks);
  const { checkpoints, removed } = index as Index;
  for (const file of [...checkpoints.map((entry) => entry.file), ...removed]) refuseLink(`${folder}/${file}`);
  const whole = checkpoints.map(({ metrics, ...entry }) => ({
    ...entry,
    ...(metrics && { metrics: numbersOf(metrics) }),
  }));
  return { checkpoints: whole, removed };
}

/** Writes the index, and only then removes the files that have left it: it names at all times what is whole, and what is still to go. */
function writeIndex(folder: string, checkpoints: readonly CheckpointEntry[], removed: readonly string[]): void {
  const written = checkpoints.map(({ metrics, ...entry }) => ({
    ...entry,
    ...(metrics && { metrics: numbersText(metrics) }),
  }));
  const text = JSON.stringify({ checkpoints: written, removed });
  writeAtomic(`${folder}/${indexName}`, new TextEncoder().encode(`${text}\n`));
  for (const file of removed) remove(`${folder}/${file}`);
}

/** The finished checkpoints of a folder, oldest first; none where there is no index. Throws CheckpointError for an index that is damaged. */
export function listCheckpoints(folder: string): CheckpointEntry[] {
  return [...readIndex(folder).checkpoints];
}

/** The path of the newest finished checkpoint, or undefined. */
export function latestCheckpoint(folder: string): string | undefined {
  const [newest] = listCheckpoints(folder).sort((a, b) => b.step - a.step);
  return newest && `${folder}/${newest.file}`;
}

/** The best entries for a metric, best first; of two equal ones the older. Values that are no numbers don't count. */
export function bestCheckpoints(
  entries: readonly CheckpointEntry[],
  { metric, mode, k }: KeepBest,
): readonly CheckpointEntry[] {
  const metricOf = ({ metrics }: CheckpointEntry) => ownValue(metrics, metric) ?? Number.NaN;
  const sign = mode === "min" ? 1 : -1;
  return entries
    .filter((entry) => Number.isFinite(metricOf(entry)))
    .sort((a, b) => sign * (metricOf(a) - metricOf(b)) || a.step - b.step)
    .slice(0, k);
}

/** The entries that stay: the newest one, the newest `keep` of those not written for their metric alone, and the best. */
function keptEntries(ascending: readonly CheckpointEntry[], { keep = Infinity, keepBest }: SaveOptions) {
  const regular = ascending.filter(({ best }) => !best);
  const kept = new Set([
    ...ascending.slice(-1),
    ...regular.slice(Math.max(0, regular.length - keep)),
    ...(keepBest ? bestCheckpoints(ascending, keepBest) : []),
  ]);
  return ascending.filter((entry) => kept.has(entry));
}

/**
 * Writes a checkpoint `name`.safetensors and enters it in the index, which those leave that the options don't keep. Gives its path. Throws
 * CheckpointError, and then what was there before is unchanged, or the checkpoint is in the index and only files that left it are still there.
 */
export function saveCheckpoint(
  folder: string,
  name: string,
  state: RunState,
  tensors: Iterable<readonly [string, HostArray]>,
  options: SaveOptions = {},
): string {
  const file = `${name}.safetensors`;
  if (!isFile(file))
    throw new CheckpointError({ where: folder, problem: "not a checkpoint's name", got: file, expected: fileForm });
  makeInside(folder);
  // Before the first file, so that files without an index are never what a run that was killed leaves.
  if (!exists(`${folder}/${indexName}`)) writeIndex(folder, [], []);
  const entries = [...tensors];
  const { loss, metrics: last } = state;
  const text = JSON.stringify({ ...state, loss: loss === null ? null : numberText(loss), metrics: numbersText(last) });
  writeSafetensors(`${folder}/${file}`, entries, sealed(text, entries));
  const others = listCheckpoints(folder).filter((entry) => entry.file !== file);
  const { metrics, best } = options;
  const entry = { file, step: state.step, ...(metrics && { metrics }), ...(best && { best }) };
  const all = [...others, entry].sort((a, b) => a.step - b.step);
  const kept = keptEntries(all, options);
  const gone = all.filter((candidate) => !kept.includes(candidate));
  writeIndex(
    folder,
    kept,
    gone.map((candidate) => candidate.file),
  );
  return `${folder}/${file}`;
}

/** Drops the entries after a step, and what writes that were cut off have left: a run that goes on from there writes them anew. Not while another run saves here. */
export function dropCheckpointsAfter(folder: string, step: number): void {
  refuseLink(folder);
  const indexed = exists(`${folder}/${indexName}`);
  const { checkpoints, removed } = indexed ? readIndex(folder) : { checkpoints: readEntries(folder), removed: [] };
  if (exists(folder)) {
    const isLeftover = (file: string) =>
      file === `${indexName}${temporarySuffix}` || file.endsWith(`.safetensors${temporarySuffix}`);
    const leftovers = list(folder, CheckpointError).filter(isLeftover);
    for (const file of leftovers) remove(`${folder}/${file}`);
  }
  const kept = checkpoints.filter((entry) => entry.step <= step);
  const files = [...removed, ...checkpoints.map(({ file }) => file)];
  const gone = files.filter((file) => !kept.some((entry) => entry.file === file));
  if (gone.length > 0 || (!indexed && kept.length > 0)) writeIndex(folder, kept, gone);
}

/** What an index that is gone said of the files that are there, as far as they tell it themselves. */
function readEntries(folder: string): CheckpointEntry[] {
  const entries = filesIn(folder).map((file) => {
    refuseLink(`${folder}/${file}`);
    return { file, step: loadCheckpoint(`${folder}/${file}`).state.step };
  });
  return entries.sort((a, b) => a.step - b.step);
}

/** Reads a checkpoint and checks it against its own digest. Throws CheckpointError naming the file. */
export function loadCheckpoint(path: string): Checkpoint {
  return checkpointOf(path, readSafetensors(path));
}

/** Whether a file is a run's checkpoint, and not weights alone. */
export function holdsState(file: Safetensors): boolean {
  return stateText(file) !== undefined;
}

/** The checkpoint that a file's content is, checked against its own digest. Throws CheckpointError naming the file. */
export function checkpointOf(path: string, file: Safetensors): Checkpoint {
  const text = stateText(file);
  if (text === undefined) {
    throw new CheckpointError({
      where: path,
      problem: "no run's state is in it",
      got: `metadata ${Object.keys(file.metadata).join(", ") || "none"}`,
      expected: "seedgrad in its metadata",
      hint: "a file of weights alone is loaded into a model, not resumed from",
    });
  }
  const state = tryJson(text);
  checkNumerics(path, "a checkpoint", state);
  checkSeal(path, file);
  return { path, state: checkedState(path, state), tensors: file.tensors };
}

/** Whether a tensor of a checkpoint belongs to the state that a run's digest is of: what callbacks keep does not. */
export const isOfRun = ([name]: readonly [string, unknown]): boolean => !name.startsWith("callback/");

const isFill = maybe(Number.isFinite);
const isTableColumn = shaped({
  column: isText,
  categories: maybe(isTexts),
  mean: isFill,
  // Numbers are divided by it.
  deviation: maybe((value) => Number.isFinite(value) && (value as number) > 0),
  fill: isFill,
});

const stateChecks: Readonly<Record<keyof RunState, FieldCheck>> = {
  format: ["1", (value) => value === 1],
  numericsId: ["a string", isText],
  graphHash: ["64 hex digits", isHash],
  seed: ["a decimal integer in [0, 2^64)", isSeed],
  step: ["a count", isCount],
  position: ["a count", isCount],
  loader: ["epoch, offset and cursor", shaped({ epoch: isCount, cursor: isCount, offset: orNull(isCount) })],
  chain: ["64 hex digits", isHash],
  loss: ["a number or null", orNull(isNumber)],
  metrics: ["numbers by name", recordOf(isNumber)],
  optimizerSteps: ["a count", maybe(isCount)],
  optimizers: ["counts by name", maybe(recordOf(isCount))],
  columns: ["names", maybe(isTexts)],
  table: ["columns, each with its categories or numbers", maybe(listOf(isTableColumn))],
  callbacks: ["a record", maybe(isRecord)],
};

function checkedState(path: string, state: unknown): RunState {
  checkFields(path, "a checkpoint", state, stateChecks);
  const { loss, metrics, ...others } = state as RunState;
  return { ...others, loss: loss === null ? null : numberOf(loss), metrics: numbersOf(metrics) };
}

/** Throws CheckpointError where a checkpoint belongs to another run: another seed, or another graph. */
export function checkState(
  { path, state }: Checkpoint,
  run: { readonly seed: bigint; readonly graphHash: string },
): void {
  const factsOf = ({ seed, graphHash }: { seed: bigint | string; graphHash: string }) => ({
    seed: String(seed),
    graphs: { train: graphHash },
  });
  const [other] = compareFacts(factsOf(state), factsOf(run), deciding.checkpoint);
  if (!other) return;
  const { what, first: got, second: expected } = other;
  throw new CheckpointError({
    where: path,
    problem: `it belongs to another ${what}`,
    got,
    expected,
    hint: hintOf(other),
  });
}

/** Throws CheckpointError where a checkpoint is of a later step than a run's last: such a run can't be made again. */
export function checkLength({ path, state }: Checkpoint, last: number, hint?: string): void {
  if (state.step <= last) return;
  throw new CheckpointError({
    where: path,
    problem: "the checkpoint is of a later step than the run's last",
    got: `step ${state.step}`,
    expected: `at most step ${last}`,
    hint,
  });
}
