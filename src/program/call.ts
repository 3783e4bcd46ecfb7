// Calls of compiled functions. A call takes its draws, its state and its host values when it is made; only its execution waits for its turn.
// Where one fails, state stays as it was before it, and calls that were made on what it would have written aren't run.
import type { Backend } from "../compile/contract.ts";
import type { TypedArray } from "../core/dtype.ts";
import { TraceError } from "../core/errors.ts";
import { Node } from "../graph/node.ts";
import type { Stream } from "../rng/stream.ts";
import { spoil } from "../runtime/values.ts";
import { Tensor } from "../tensor/tensor.ts";
import type { Leaf } from "../tensor/tree.ts";
import type { Before, Lineage } from "./lineage.ts";
import { type Program, type Ready, stage } from "./program.ts";

/** What one execution did. */
export interface Execution<R> {
  readonly result: R;
  /** The tensors given to `watch`, by name. */
  readonly watched: Readonly<Record<string, Tensor>>;
  readonly graphHash: string;
  /** The absolute offset its draws were relative to, and how many they were. */
  readonly base: number;
  readonly draws: number;
  /** The values of its runtime scalars, by name. */
  readonly scalars: Readonly<Record<string, number>>;
}

/** What a call is made with. */
export interface CallParts<R> {
  readonly name: string;
  readonly program: Program<R>;
  readonly leaves: readonly Leaf["value"][];
  readonly backend: Backend | Promise<Backend>;
  readonly stream: Stream;
  /** Where its draws begin; reserved from the stream if left out. */
  readonly base: number | undefined;
  readonly log: (ready: Ready, hit: boolean) => void;
}

/** A call that was made. */
export interface Call<R> {
  readonly parts: CallParts<R>;
  readonly base: number;
  /** Arguments and scalars. */
  readonly values: (Node | TypedArray)[];
  readonly scalars: Readonly<Record<string, number>>;
  /** Where those of them from the host are in staging memory already. */
  readonly staged: Ready | undefined;
  readonly lineages: readonly Lineage[];
  /** By state slot; left out where nothing stood for what the call overwrites. */
  readonly before: (Before | null)[] | undefined;
  /** Takes back what was done on the host when it was made. */
  undo: (() => void)[] | undefined;
  /** Why it isn't run. */
  failure: TraceError | undefined;
}

/** Calls that were made and haven't run, in order. */
const waiting = new Set<Call<unknown>>();

/** Makes a call: takes all that it depends on. Throws what a provider of a scalar throws, and StreamError where the stream is used up: then nothing is taken. */
export function makeCall<R>(parts: CallParts<R>): Call<R> {
  const { program, leaves, stream } = parts;
  const { state, beforeExecution, graph } = program.traced;
  const scalars: Record<string, number> = {};
  const undo = prepare(beforeExecution);
  const values: Call<R>["values"] = [];
  let [base, staged]: [number, Ready | undefined] = [0, undefined];
  try {
    for (const leaf of leaves) values.push(given(leaf));
    for (const { name, provide } of program.traced.scalars) {
      scalars[name] = Math.fround(provide());
      values.push(given(scalars[name]));
    }
    base = parts.base ?? stream.reserve(graph.draws);
    staged = stageNow(parts, values);
  } catch (error) {
    takeBack(undo);
    throw error;
  }
  const lineages: Lineage[] = [];
  let before: (Before | null)[] | undefined;
  for (const { variable, written } of state) {
    const { lineage } = variable;
    lineage.hold();
    const stood = written ? lineage.rewrite() : null;
    if (stood) {
      before ??= [];
      before[lineages.length] = stood;
    }
    lineages.push(lineage);
  }
  program.waiting++;
  const call: Call<R> = { parts, base, values, scalars, staged, lineages, before, undo, failure: undefined };
  waiting.add(call as Call<unknown>);
  return call;
}

/** A value as a call takes it: a node, or what the host has. */
function given(value: Leaf["value"]): Node | TypedArray {
  if (value instanceof Tensor) return value.node;
  return typeof value === "number" ? Float32Array.of(value) : value.data;
}

const copied = (value: Node | TypedArray) => (value instanceof Node ? value : value.slice());

/** Puts values from the host into staging memory where no call before has yet to use that, and says where; else copies them. */
function stageNow<R>({ backend, program }: CallParts<R>, values: Call<R>["values"]): Ready | undefined {
  const ready = backend instanceof Promise ? undefined : program.readyOn(backend);
  if (ready && program.waiting === 0) {
    writeAll(ready, values);
    return ready;
  }
  for (const [i, value] of values.entries()) values[i] = copied(value);
  return undefined;
}

/** Puts values from the host into staging memory. */
export function writeAll(ready: Ready, values: Call<unknown>["values"]): void {
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (!(value instanceof Node)) stage(ready, i, value);
  }
}

/** Calls what is to be called before scalars are read, and gives what takes it back. Where one throws, all before it is taken back. */
function prepare(callbacks: readonly (() => unknown)[]): Call<unknown>["undo"] {
  let undo: Call<unknown>["undo"];
  try {
    for (const callback of callbacks) {
      const takesBack = callback();
      if (typeof takesBack !== "function") continue;
      undo ??= [];
      undo.push(takesBack as () => void);
    }
  } catch (error) {
    takeBack(undo);
    throw error;
  }
  return undo;
}

function takeBack(undo: Call<unknown>["undo"]): void {
  for (const each of undo?.reverse() ?? []) each();
}

/** Runs a call by `execute`. Call under `exclusive`, once. */
export async function runCall<R>(
  call: Call<R>,
  execute: (call: Call<R>) => Promise<Execution<R>>,
): Promise<Execution<R>> {
  try {
    if (call.failure) throw call.failure;
    const execution = await execute(call);
    call.before?.forEach((before, i) => {
      call.lineages[i].written(before);
    });
    leave(call);
    return execution;
  } catch (error) {
    leave(call);
    if (!call.failure) fail(call, error);
    throw error;
  }
}

function leave<R>(call: Call<R>): void {
  waiting.delete(call as Call<unknown>);
  call.parts.program.waiting--;
  for (const lineage of call.lineages) lineage.letGo();
}

/** Gives the state back as it was before the call, and keeps those from running that were made on what it would have written. */
function fail<R>(call: Call<R>, error: unknown): void {
  const failed = new Set<Lineage>();
  restore(call, failed);
  if (failed.size === 0) return;
  for (const later of waiting) {
    if (later.failure || !later.lineages.some((lineage) => failed.has(lineage))) continue;
    later.failure = new TraceError({
      where: later.parts.name,
      problem: "a call before it on the same state failed, so it wasn't run",
      got: error instanceof Error ? error.message.split("\n")[0] : String(error),
      hint: "the state is as it was before the call that failed; await a call before the next where it may fail",
      cause: error,
    });
    restore(later, failed);
  }
}

function restore<R>({ parts, lineages, before, undo }: Call<R>, failed: Set<Lineage>): void {
  takeBack(undo);
  for (const [i, { written }] of parts.program.traced.state.entries()) {
    if (!written) continue;
    const lineage = lineages[i];
    const stood = before?.[i] ?? null;
    if (!failed.has(lineage)) lineage.restore(stood);
    else if (stood?.leaf) spoil(stood.leaf);
    failed.add(lineage);
  }
}

/** Arguments and scalars as a call that was made now would have them: what is the host's is copied. */
export function hostValues(
  leaves: readonly Leaf["value"][],
  { beforeExecution, scalars }: Program<unknown>["traced"],
): (Node | TypedArray)[] {
  const undo = prepare(beforeExecution);
  try {
    return [...leaves, ...scalars.map(({ provide }) => provide())].map((value) => copied(given(value)));
  } finally {
    takeBack(undo);
  }
}
