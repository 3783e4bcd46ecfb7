// Two traces of one function held against each other: what isn't the same in both would stay for ever what it was in the first.
import type { TypedArray } from "../core/dtype.ts";
import { TraceError } from "../core/errors.ts";
import { sameShape, typeText } from "../core/shape.ts";
import type { Attributes, DrawRange, Node } from "../graph/node.ts";
import { Tensor } from "../tensor/tensor.ts";
import { isHostArray } from "../tensor/tree.ts";
import type { TraceResult } from "./trace.ts";

type Traced = TraceResult<unknown>;

/** Throws TraceError, which names what differs and where it was made, unless two traces of the function are the same program. */
export function checkSame(name: string, first: Traced, second: Traced): void {
  const found = difference(first, second);
  if (!found) return;
  throw new TraceError({
    where: name,
    problem: `the function was traced twice, and ${found.what} isn't the same${found.site ? ` (made at ${found.site})` : ""}`,
    got: `${found.second} the second time`,
    expected: `${found.first}, as the first time`,
    hint:
      "a compiled function is one program for all calls, and would keep what it saw first: give what changes as an argument, " +
      "or as runtimeScalar(name, () => value); { strict: false } traces once and keeps it",
  });
}

interface Difference {
  readonly what: string;
  readonly first: string;
  readonly second: string;
  readonly site?: string;
}

function difference(first: Traced, second: Traced): Difference | undefined {
  const [a, b] = [first.graph, second.graph];
  return (
    differentNames("the scalars that it reads", names(first.scalars), names(second.scalars)) ??
    differentNames("the state that it uses", names(first.state), names(second.state)) ??
    differentNames("what it gives or assigns", names(a.outputs), names(b.outputs)) ??
    differentNames("what it has watched", names(a.watched), names(b.watched)) ??
    differentNode(first, second) ??
    differentValue(first.result, second.result, "its result") ??
    differentNames("how much it draws", [`${a.draws} draws`], [`${b.draws} draws`])
  );
}

const names = (list: readonly { readonly name: string }[]) => list.map(({ name }) => name);

function differentNames(what: string, a: readonly string[], b: readonly string[]): Difference | undefined {
  if (a.length === b.length && a.every((name, i) => name === b[i])) return undefined;
  return { what, first: a.join(", ") || "nothing", second: b.join(", ") || "nothing" };
}

/** The node made first, of those whose operands agree, that differs from what stands in its place. */
function differentNode(first: Traced, second: Traced): Difference | undefined {
  const [a, b] = [first.graph, second.graph];
  const seen = new Map<Node, Node>(a.inputs.map(({ node }, i) => [node, b.inputs[i].node]));
  const roots = [...a.outputs, ...a.watched].map(({ node }) => node);
  const others = [...b.outputs, ...b.watched].map(({ node }) => node);
  const pending: (readonly [Node, Node])[] = roots.map((node, i) => [node, others[i]] as const);
  const consumers = new Map<Node, Node>();
  let found: readonly [Node, Node] | undefined;
  for (let pair = pending.pop(); pair; pair = pending.pop()) {
    const [x, y] = pair;
    if (x === y || seen.get(x) === y) continue;
    seen.set(x, y);
    if (sameNode(x, y)) {
      x.inputs.forEach((input, i) => {
        if (!consumers.has(input)) consumers.set(input, x);
        pending.push([input, y.inputs[i]]);
      });
    } else if (!found || x.id < found[0].id) found = pair;
  }
  if (!found) return undefined;
  const [x, y] = found;
  const user = userOf(x, consumers);
  const values = x.data && y.data && x.data.length === y.data.length ? [x.data, y.data] : undefined;
  const at = values ? firstUnequal(values[0], values[1]) : 0;
  const [was, is] = values && at >= 0 ? values.map((data) => String(data[at])) : [show(x), show(y)];
  return {
    what: user ? `what ${user.op} takes` : `what it gives`,
    first: was,
    second: is,
    site: (user ?? x).made?.origin ?? x.made?.origin,
  };
}

/** The op that a node is for: the first that isn't a mere stretching of it. */
function userOf(node: Node, consumers: ReadonlyMap<Node, Node>): Node | undefined {
  let user = node.inputs.length === 0 ? consumers.get(node) : node;
  while (user?.op === "broadcastTo" && consumers.has(user)) user = consumers.get(user);
  return user;
}

function sameNode(x: Node, y: Node): boolean {
  if (x.op !== y.op || x.dtype !== y.dtype || !sameShape(x.shape, y.shape)) return false;
  if (x.inputs.length !== y.inputs.length || !sameDraws(x.draws, y.draws)) return false;
  if (x.data || y.data) return sameData(x.data, y.data);
  // Other leaves are themselves or nothing.
  if (x.op === "input" || x.op === "variable") return false;
  return sameValue(x.attributes, y.attributes);
}

function sameDraws(a: DrawRange | undefined, b: DrawRange | undefined): boolean {
  return a?.offset === b?.offset && a?.count === b?.count && a?.seed === b?.seed;
}

function sameData(a: TypedArray | undefined, b: TypedArray | undefined): boolean {
  return a === b || (a !== undefined && b !== undefined && a.length === b.length && firstUnequal(a, b) < 0);
}

function firstUnequal(a: TypedArray, b: TypedArray): number {
  for (let i = 0; i < a.length; i++) if (!Object.is(a[i], b[i])) return i;
  return -1;
}

function sameValue(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  const keys = Object.keys(a) as (keyof typeof a)[];
  return keys.length === Object.keys(b).length && keys.every((key) => sameValue(a[key], b[key]));
}

/** What a result holds beside tensors. */
function differentValue(a: unknown, b: unknown, what: string): Difference | undefined {
  if (a instanceof Tensor && b instanceof Tensor) return undefined;
  if (isHostArray(a) && isHostArray(b) && sameData(a.data, b.data)) return undefined;
  if (typeof a === "object" && typeof b === "object" && a !== null && b !== null && !isHostArray(a)) {
    const [x, y] = [Object.keys(a).sort(), Object.keys(b).sort()];
    const keys = differentNames(`${what}'s form`, x, y);
    if (keys) return keys;
    for (const key of x) {
      const found = differentValue((a as never)[key], (b as never)[key], `${what} at ${key}`);
      if (found) return found;
    }
    return undefined;
  }
  return Object.is(a, b) ? undefined : { what, first: String(a), second: String(b) };
}

/** A node by itself: `full 0.5`, `cast dtype=int32`. */
function show(node: Node): string {
  const { op, attributes, data } = node;
  if (data) return `${op} ${typeText(node)}`;
  const given = Object.entries(attributes as Attributes).filter(([key]) => key !== "dtype");
  const told = given.filter(([key]) => key !== "shape" && key !== "value");
  const parts = told.map(([key, value]) => `${key}=${typeof value === "number" ? value : JSON.stringify(value)}`);
  if (typeof attributes.value === "number") return [String(attributes.value), ...parts].join(" ");
  return [op, ...parts, typeText(node)].join(" ");
}
