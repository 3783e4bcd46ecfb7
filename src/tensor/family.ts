// A family of ops: they take and give nodes; here they are lifted to tensors, and attached as methods. A page has the families whose modules it imports: a new op
// in a file of one is its function and method by itself.
import { checkArguments, isRecord } from "../core/arguments.ts";
import { asErrorOf, ConfigError, refuse } from "../core/errors.ts";
import { Node } from "../graph/node.ts";
import { atOneSite } from "../graph/site.ts";
import { signatureOf } from "../ops/arguments.ts";
import { elsewhere } from "./elsewhere.ts";
import { Tensor } from "./tensor.ts";

/** Records with a node among their values. */
type Lift<T> = T extends Node ? Tensor : Extract<T[keyof T], Node> extends never ? T : { [K in keyof T]: Lift<T[K]> };

/** A function of nodes as a function of tensors. */
export type Lifted<F> = F extends (...args: infer A) => infer R
  ? (...args: { [K in keyof A]: Lift<A[K]> }) => Lift<R>
  : never;

/** The functions of a namespace, lifted. */
export type LiftedAll<T> = { readonly [K in keyof T]: Lifted<T[K]> };

type Tail<F> = F extends (first: infer _, ...rest: infer R) => infer T ? (...rest: R) => T : never;

/** Functions whose first operand is a tensor, without that operand. */
export type Methods<T> = { readonly [K in keyof T]: Tail<Lifted<T[K]>> };

/** A value with every item of class `From` replaced: itself, or in lists and plain records, no deeper than arguments are. Others stay the objects that they are. */
function replaced<F>(
  value: unknown,
  From: abstract new (...args: never[]) => F,
  by: (item: F) => unknown,
  depth = 8,
): unknown {
  const each = (item: unknown) => replaced(item, From, by, depth - 1);
  const isIt = (item: unknown) => depth > 0 && item instanceof From;
  if (value instanceof From) return by(value);
  if (Array.isArray(value)) return value.some(isIt) ? value.map(each) : value;
  if (!isRecord(value) || !Object.values(value).some(isIt)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, each(item)]));
}

const nodeOf = (tensor: Tensor) => tensor.node;
const tensorOf = (node: Node) => new Tensor(node);

/** Lifts one function, whose arguments are checked by its signature. */
export function lift<F extends (...args: never[]) => unknown>(apply: F): Lifted<F> {
  const call = signatureOf(apply);
  const body = apply as unknown as (...args: unknown[]) => unknown;
  const lifted = (...args: unknown[]) => {
    for (let i = 0; i < args.length; i++) args[i] = replaced(args[i], Tensor, nodeOf);
    checkArguments(call, args);
    let result: unknown;
    try {
      result = atOneSite(() => body(...args), call.where);
    } catch (error) {
      throw asErrorOf(call.where, error);
    }
    return replaced(result, Node, tensorOf);
  };
  return lifted as Lifted<F>;
}

/** Attaches a method to tensors. */
export function attach(name: string, apply: (...args: unknown[]) => unknown): void {
  Object.defineProperty(Tensor.prototype, name, {
    configurable: true,
    writable: true,
    value(this: Tensor, ...rest: unknown[]) {
      return apply(this, ...rest);
    },
  });
}

// Until a family is loaded its methods say so.
for (const [of, names] of Object.entries(elsewhere))
  for (const name of names.split(" "))
    attach(name, () => {
      refuse(ConfigError, name, "its family of ops isn't loaded", undefined, `import "seedgrad/ops/${of}"`);
    });

/** The functions lifted. Those that are `methods` become tensors' too, without their first operand. */
export function family<M extends object, O extends object = object>(methods: M, others?: O): LiftedAll<M & O> {
  const functions = Object.entries({ ...methods, ...others });
  const ops = Object.fromEntries(functions.map(([name, apply]) => [name, lift(apply)]));
  for (const name of Object.keys(methods)) attach(name, ops[name] as (...args: unknown[]) => unknown);
  return ops as LiftedAll<M & O>;
}
