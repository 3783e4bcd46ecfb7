// Programs: what one trace of a function serves, and what each backend has made ready for it.

import type { Backend, Buffer, Executable } from "../compile/contract.ts";
import type { TypedArray } from "../core/dtype.ts";
import { sizeOf } from "../core/shape.ts";
import type { Graph } from "../graph/graph.ts";
import { castFormat } from "../ops/autocast.ts";
import { store } from "../runtime/stored.ts";
import { type Form, formOf, hasForm, type Leaf } from "../tensor/tree.ts";
import type { TraceResult } from "./trace.ts";
import type { Stateful } from "./variable.ts";

/** A program on a backend, and all that needn't be found out again at each execution. */
export interface Ready {
  readonly backend: Backend;
  readonly executable: Executable;
  /** For each of the plan's outputs: the input whose memory it takes, or −1; and how many elements it has. */
  readonly ports: readonly { readonly input: number; readonly size: number }[];
  /** Memory for scalars and host arrays, by input position: written anew for each call. */
  readonly staging: (Buffer | undefined)[];
}

/** A value from the host in the memory that is kept for it. */
export function stage({ backend, executable, staging }: Ready, position: number, data: TypedArray): void {
  const known = staging[position];
  if (known) backend.write(known, data);
  else staging[position] = store(backend, data, executable.plan.inputs[position].dtype).buffer;
}

const collected = new FinalizationRegistry<Pick<Ready, "backend" | "staging">>(({ backend, staging }) => {
  for (const buffer of staging) if (buffer) backend.free(buffer);
});

/**
 * What is around a call that is made now, which a trace depends on beside the program's text: the owners' pieces (variables, flags, options), the format of an
 * `autocast`, the seed. Calls for which all of it is the same are served by the same trace.
 */
export function surroundings(owners: readonly Stateful[], seed: bigint): readonly unknown[] {
  return [...owners.flatMap(piecesOf), "autocast", castFormat(), "the seed", seed];
}

function piecesOf(owner: Stateful): readonly unknown[] {
  return owner.pieces?.() ?? [owner.traceKey?.(), ...[...owner.namedVariables()].flat()];
}

/** A traced function: serves calls whose arguments have its form and whose surroundings are those of its trace. */
export class Program<R> {
  readonly traced: TraceResult<R>;
  /** Calls of it that were made and haven't run. */
  waiting = 0;
  readonly #form: Form;
  readonly #around: readonly unknown[];
  readonly #ready = new WeakMap<Backend, Ready>();
  /** The traced graph with the values of what it takes from outside. */
  #closed: Graph | undefined;

  constructor(traced: TraceResult<R>, args: unknown, around: readonly unknown[]) {
    this.traced = traced;
    this.#form = formOf(args);
    this.#around = around;
  }

  /** The arguments' leaves, if it serves a call with them; else undefined. */
  leaves(args: unknown, around: readonly unknown[]): Leaf["value"][] | undefined {
    if (!sameItems(around, this.#around)) return undefined;
    const leaves: Leaf["value"][] = [];
    return hasForm(args, this.#form, leaves) ? leaves : undefined;
  }

  /** Whether only other objects, as many and of the same names, keep it from serving such a call: it served what is gone. */
  isSuperseded(args: unknown, around: readonly unknown[]): boolean {
    const own = this.#around;
    if (around.length !== own.length || !hasForm(args, this.#form, [])) return false;
    return around.every((piece, i) => Object.is(piece, own[i]) || (isObject(piece) && isObject(own[i])));
  }

  /** The option that keeps it from serving such a call, in words. */
  changed(args: unknown, around: readonly unknown[]): string | undefined {
    const own = this.#around;
    if (around.length !== own.length || !hasForm(args, this.#form, [])) return undefined;
    const at = around.findIndex((piece, i) => !Object.is(piece, own[i]));
    if (at < 0 || isObject(around[at])) return undefined;
    const before = around[at - 1];
    return `${typeof before === "string" ? `${before} ` : ""}was ${String(own[at])} and is ${String(around[at])}`;
  }

  /** What the backend has ready for it, if it has. */
  readyOn(backend: Backend): Ready | undefined {
    return this.#ready.get(backend);
  }

  /** Its graph: constants from outside by content. Call under `exclusive`. */
  async graph(backend: Backend): Promise<Graph> {
    this.#closed ??= await (await import("./captured.ts")).captured(this.traced, backend);
    return this.#closed;
  }

  /** Makes it ready on a backend, and says whether the plan was found. Call under `exclusive`. */
  async load(backend: Backend, log: (ready: Ready, hit: boolean) => void): Promise<Ready> {
    const known = this.#ready.get(backend);
    if (known) return known;
    const staging: Ready["staging"] = [];
    const { compileGraph } = await import("../compile/cache.ts");
    const { executable, hit } = await compileGraph(backend, await this.graph(backend), staging);
    const { plan } = executable;
    const inputOf = new Map(plan.state.map(({ input, output }) => [output, input]));
    const ports = plan.outputs.map(({ shape }, i) => ({ input: inputOf.get(i) ?? -1, size: sizeOf(shape) }));
    const ready: Ready = { backend, executable, ports, staging };
    collected.register(ready, { backend, staging });
    this.#ready.set(backend, ready);
    log(ready, hit);
    return ready;
  }
}

const isObject = (value: unknown) => (typeof value === "object" || typeof value === "function") && value !== null;

function sameItems(a: readonly unknown[], b: readonly unknown[]): boolean {
  if (a.length !== b.length) return false;
  // NaN is itself too; the first comparison is the quick one.
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i] && !Object.is(a[i], b[i])) return false;
  return true;
}
