// The values of nodes: which have been computed, and in whose memory they are. A value is computed once and kept as long as its node is;
// memory is given back when nothing refers to it any more.
import type { Backend, Buffer } from "../compile/contract.ts";
import { itemSize } from "../core/dtype.ts";
import type { Node } from "../graph/node.ts";
import { count, discount } from "./pressure.ts";
import { moveTo, type Stored, store } from "./stored.ts";

/** A value and who gives its memory back. */
interface Held extends Stored {
  /** Its memory goes when the node does; else it is somebody's who lends it. */
  readonly owned: boolean;
}

const values = new WeakMap<Node, Held>();
/** Values of leaves that somebody lends, on another backend than that one's. */
const copies = new WeakMap<Node, Stored>();
const gone = new WeakMap<Node, { problem: string; hint: string }>();
const released = new FinalizationRegistry<Stored>(free);

const bytesOf = ({ dtype, size }: Buffer) => itemSize(dtype) * size;

function free({ backend, buffer }: Stored): void {
  discount(bytesOf(buffer));
  backend.free(buffer);
}

/** Memory goes with the node. */
function own(node: Node, stored: Stored, token: object = node): void {
  count(bytesOf(stored.buffer));
  released.register(node, stored, token);
}

/** Makes `stored` the node's value, in place of any it had. `owned`: its memory goes when the node does. */
export function bind(node: Node, stored: Stored, { owned }: { owned: boolean }): void {
  const before = values.get(node);
  if (before?.owned && before.buffer !== stored.buffer) {
    released.unregister(node);
    free(before);
  }
  values.set(node, { ...stored, owned });
  if (owned) own(node, stored);
}

/** Makes what a lender has in memory, at the time of asking, the leaf's value. */
export function lend(leaf: Node, lender: Stored): void {
  values.set(leaf, {
    get backend() {
      return lender.backend;
    },
    get buffer() {
      return lender.buffer;
    },
    owned: false,
    keeps: lender,
  });
}

/** Forgets a leaf's value, and why. */
function forget(leaf: Node, problem: string, hint: string): void {
  values.delete(leaf);
  dropCopy(leaf);
  gone.set(leaf, { problem, hint });
}

/** Forgets a leaf's value because the call that was to give it failed. */
export function spoil(leaf: Node): void {
  const problem = "it depends on a version of a variable that a compiled call was to write, and that call failed";
  forget(leaf, problem, "the variable has the version from before the call: make the tensor anew");
}

/** Forgets a leaf's value because its memory holds another one now. */
export function overwrite(leaf: Node): void {
  const problem = "it depends on a version of a variable that has been overwritten";
  forget(leaf, problem, "read it (await t.data()) before the step that overwrites it");
}

/** Gives back a node's memory now. What can be computed again is computed when it is next read; the result of a compiled function is gone. */
export function release(node: Node): void {
  const stored = values.get(node);
  if (!stored?.owned || node.op === "variable") return;
  values.delete(node);
  released.unregister(node);
  free(stored);
  if (node.op === "input")
    gone.set(node, { problem: "it depends on a tensor that was disposed", hint: "dispose later" });
}

function dropCopy(node: Node): void {
  const copy = copies.get(node);
  if (!copy) return;
  copies.delete(node);
  released.unregister(copy);
  free(copy);
}

/** The node's value in the backend's memory, if it has one: constants always do. */
export async function valueOn(backend: Backend, node: Node): Promise<Stored | undefined> {
  const known = values.get(node);
  if (known?.backend === backend) return known;
  if (!known && !node.data) return undefined;
  const copy = copies.get(node);
  if (copy?.backend === backend) return copy;
  const stored = known ? await moveTo(backend, known) : store(backend, node.data!, node.dtype);
  if (!known || known.owned) bind(node, stored, { owned: true });
  else {
    dropCopy(node);
    copies.set(node, stored);
    own(node, stored, stored);
  }
  return stored;
}

/** Whether nothing has to be run for the node's value. */
export function hasValue(node: Node): boolean {
  return node.data !== undefined || values.has(node);
}

/** Why a node that can't be computed has no value, where it had one. */
export function whyGone(node: Node): { readonly problem: string; readonly hint: string } | undefined {
  return gone.get(node);
}

/** The node's value on whichever backend it is. */
export function storedValue(node: Node): Stored | undefined {
  return values.get(node);
}

/** The node's value if it is in the backend's memory already. */
export function valueAtHand(backend: Backend, node: Node): Stored | undefined {
  const known = values.get(node);
  return known?.backend === backend ? known : undefined;
}
