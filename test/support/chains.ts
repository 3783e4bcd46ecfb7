// Random chains of transforms of random functions, as programs ask for them; and what each transform means, written out: a batch as its examples, a loop
// as its steps, a Jacobian as its rows.
import type { DType } from "../../src/core/dtype.ts";
import { type Shape, sizeOf } from "../../src/core/shape.ts";
import type { Graph } from "../../src/graph/graph.ts";
import type { Node } from "../../src/graph/node.ts";
import { atOneSite } from "../../src/graph/site.ts";
import * as sg from "../../src/index.ts";
import { testData, traceGraph } from "./graphs.ts";
import { favourites, grow } from "./growers.ts";
import { attempt, one, sized } from "./pool.ts";
import { tape } from "./programs.ts";

type T = sg.Tensor;
type Call = (xs: readonly T[]) => readonly T[];
type Pick = (below: number) => number;

interface Port {
  readonly dtype: DType;
  readonly shape: Shape;
}

/** A function of tensors, and what it takes. */
export interface Fn {
  readonly name: string;
  readonly args: readonly Port[];
  readonly call: Call;
}

/** A transformed function. */
interface Transformed extends Omit<Fn, "name"> {
  /** What it means; left out where that says no more than the shapes. */
  readonly writtenOut?: Call;
  /** Whether it draws otherwise written out. */
  readonly drawsOtherwise?: boolean;
  /** Whether it has the same bits written out, unless it is differentiated. */
  readonly keepsBits?: boolean;
  /** Whether gradients end in it. */
  readonly isTruncated?: boolean;
}

const wrap = (node: Node): T => new sg.Tensor(node);
export const isFloat = ({ dtype }: { readonly dtype: DType }) => dtype === "float32";
const numbers = (shape: Shape, seed: number): T => {
  const { data } = testData(shape, "float32", [-1, 1], seed);
  return sg.tensor(data as Float32Array, { shape });
};
const total = (list: readonly T[]): T => list.reduce((sum, each) => sum.add(each));
/** A scalar of all floats. */
const weighed = (list: readonly T[], seed: number): T =>
  total(list.map((each, i) => each.mul(numbers(each.shape, seed + i)).sum()));
const floatArgs = ({ args }: Fn) => [...args.keys()].filter((i) => isFloat(args[i]));
const some = (pick: Pick, list: readonly number[]): readonly number[] => {
  const chosen = list.filter(() => pick(3) > 0);
  return chosen.length > 0 ? chosen : list.slice(0, 1);
};
const replaced = (xs: readonly T[], at: readonly number[], by: readonly T[]) =>
  xs.map((x, i) => (at.includes(i) ? by[at.indexOf(i)] : x));
/** The function of the arguments at some places alone, which gives its floats. */
const partly = ({ call }: Fn, xs: readonly T[], at: readonly number[]) => {
  return (...given: readonly T[]) => call(replaced(xs, at, given)).filter(isFloat);
};

/** For each element of a tensor what is made of the tensor that is 1 there and 0 elsewhere. */
const byElement = ({ size, shape }: T, make: (unit: T) => T): T[] =>
  Array.from({ length: size }, (_, at) =>
    make(
      sg.tensor(
        Float32Array.from({ length: size }, (_, i) => Number(i === at)),
        { shape },
      ),
    ),
  );
/** The Jacobian row by row. */
const rowsOf = (f: (x: T) => T, x: T): T => {
  const { value, vjp } = sg.vjp(f, x);
  const rows = byElement(value, (unit) => vjp(unit)[0]);
  return rows.length > 0
    ? sg.stack(rows).reshape([...value.shape, ...x.shape])
    : sg.zeros([0]).reshape([...value.shape, ...x.shape]);
};

const shapes: readonly Shape[] = [[3, 4], [4], [2, 3], [], [2, 1, 2, 1, 2, 1], [5], [1], [0, 3], [2, 2, 3], [3, 3]];
/** Elements of a result, at most. */
const most = 12;

/** A function of two floats and perhaps others that grows by what every random program grows by. */
function grown(choices: readonly number[]): Fn {
  const { pick } = tape(choices);
  const float = (): Port => ({ dtype: "float32", shape: one({ pick }, shapes) });
  const args = [float(), float()];
  if (pick(2)) args.push({ dtype: "int32", shape: [3, 4] });
  if (pick(3) === 0) args.push({ dtype: "bool", shape: [4] });
  const [steps, isFavouring, floats] = [1 + pick(4), pick(2), 1 + pick(2)];
  const [hasOthers, drops] = [pick(3) === 0, pick(4) === 3];
  const call: Call = (xs) => {
    const { pick } = tape(choices.slice(8));
    // What grows goes by what made its operands, too: here it is the same for all.
    const values = xs.map((x) => sg.transpose(x, [...x.shape.keys()]).node);
    const favoured = isFavouring ? favourites({ pick, values, depth: 0 }) : [];
    for (let i = 0; i < 12 && values.length < xs.length + steps; i++) {
      const next = atOneSite(() => attempt(() => grow({ pick, values, depth: 0, favoured, derivable: true }))) ?? [];
      values.push(...next.filter(({ shape }) => sizeOf(shape) <= 64));
    }
    if (drops) values.push(sg.dropout(wrap(values.filter(isFloat).pop()!), 0.4).node);
    const made = values.slice(xs.length);
    const results = made.filter(isFloat).slice(-floats);
    if (results.length === 0) results.push(values[0]);
    if (hasOthers) results.push(...made.filter((node) => !isFloat(node)).slice(-1));
    return results.map((node) => wrap(sizeOf(node.shape) > most ? sized(node, [most]) : node));
  };
  return { name: "f", args, call };
}

const transforms = {
  vmap({ args, call }, pick) {
    const size = one({ pick }, [2, 3, 1, 0]);
    const chosen = some(pick, [...args.keys()]);
    const axes = args.map(({ shape }, i) => (chosen.includes(i) ? pick(shape.length + 1) : null));
    const wide = args.map(({ dtype, shape }, i): Port => {
      const axis = axes[i];
      return axis === null ? { dtype, shape } : { dtype, shape: [...shape.slice(0, axis), size, ...shape.slice(axis)] };
    });
    const isNegative = pick(2) === 1;
    const inAxes = axes.map((axis, i) => (axis === null || !isNegative ? axis : axis - wide[i].shape.length));
    const outAxes = one({ pick }, [0, -1]);
    const example = (xs: readonly T[], at: number) =>
      xs.map((x, i) => (axes[i] === null ? x : x.slice(x.shape.map((_, axis) => (axis === axes[i] ? at : null)))));
    return {
      args: wide,
      call: (xs) => sg.vmap((...examples: readonly T[]) => call(examples), { inAxes, outAxes })(...xs),
      writtenOut: (xs) => {
        const all = Array.from({ length: Math.max(1, size) }, (_, at) => call(example(xs, at)));
        return all[0].map((each, i) =>
          sg.stack(
            all.map((results) => results[i]),
            outAxes === 0 ? 0 : each.rank,
          ),
        );
      },
      ...(size === 0 && { writtenOut: undefined }),
      drawsOtherwise: true,
      keepsBits: true,
    };
  },
  checkpoint({ args, call }) {
    return { args, call: (xs) => sg.checkpoint(() => call(xs))(), writtenOut: call, keepsBits: true };
  },
  /** Along one argument as the carry; others are sliced, or the same in all steps. */
  scan(of, pick) {
    const { args, call } = of;
    const carried = one({ pick }, floatArgs(of));
    const length = one({ pick }, [2, 3, 1, 4]);
    const sliced = [...args.keys()].filter((i) => i !== carried && pick(2) === 1);
    const [reverse, recompute] = [pick(3) === 2, pick(2) === 1];
    const truncate = pick(4) === 3 ? 1 + pick(2) : undefined;
    const bound = one<(next: T, carry: T) => T>({ pick }, [
      (next) => next,
      (next, carry) => next.tanh().add(carry.mul(0.5)),
      (next, carry) => next.mul(carry).sin(),
    ]);
    const step = (xs: readonly T[], carry: T, slices: readonly T[]): [T, readonly T[]] => {
      const results = call(replaced(xs, [carried, ...sliced], [carry, ...slices]));
      const next = wrap(sized(results.find(isFloat)!.node, args[carried].shape));
      return [bound(next, carry), results];
    };
    return {
      args: args.map(({ dtype, shape }, i) => ({ dtype, shape: sliced.includes(i) ? [length, ...shape] : shape })),
      call: (xs) => {
        const [last, ys] = sg.scan(
          (carry: T, slices: readonly T[]) => step(xs, carry, slices),
          xs[carried],
          sliced.map((i) => xs[i]),
          { reverse, recompute, truncate, length },
        );
        return [last, ...ys];
      },
      writtenOut: (xs) => {
        let carry = xs[carried];
        const all: (readonly T[])[] = [];
        for (let turn = 0; turn < length; turn++) {
          const at = reverse ? length - 1 - turn : turn;
          if (truncate !== undefined && turn > 0 && turn % truncate === 0) carry = sg.stopGradient(carry);
          [carry, all[at]] = step(
            xs,
            carry,
            sliced.map((i) => xs[i].slice([at])),
          );
        }
        return [carry, ...all[0].map((_, i) => sg.stack(all.map((results) => results[i])))];
      },
      drawsOtherwise: reverse,
      keepsBits: true,
      isTruncated: truncate !== undefined,
    };
  },
  /** With what the function closes over, its own arguments among it. */
  grad(of, pick) {
    const at = some(pick, floatArgs(of));
    const closes = pick(3) === 2;
    const closing = (xs: readonly T[], others: readonly T[]) => {
      const f = partly(of, xs, at);
      const factor = () =>
        weighed(
          at.map((i) => others[i]),
          3,
        ).add(1);
      return (...given: readonly T[]) => f(...given).map((each) => (closes ? each.mul(factor()) : each));
    };
    const given = (xs: readonly T[]) => at.map((i) => xs[i]);
    return {
      args: of.args,
      call: (xs) => {
        const f = closing(xs, xs);
        const { value, gradients } = sg.valueAndGrad((...own: readonly T[]) => weighed(f(...own), 5))(...given(xs));
        return [value, ...gradients];
      },
      writtenOut: (xs) => {
        const others = xs.map((x) => (isFloat(x) ? x.mul(1) : x));
        const { value, vjp } = sg.vjp(closing(xs, others), ...given(xs));
        return [weighed(value, 5), ...vjp(value.map(({ shape }, i) => numbers(shape, 5 + i)))];
      },
    };
  },
  jvp(of, pick) {
    const at = some(pick, floatArgs(of));
    const tangents = at.map((i) => numbers(of.args[i].shape, 40 + i));
    return {
      args: of.args,
      call: (xs) => {
        const { value, tangent } = sg.jvp(
          partly(of, xs, at),
          at.map((i) => xs[i]),
          tangents,
        );
        return [...value, ...tangent];
      },
      writtenOut: (xs) => {
        const { value, vjp } = sg.vjp(partly(of, xs, at), ...at.map((i) => xs[i]));
        const along = value.map((result, i) => {
          const elements = byElement(result, (unit) => {
            const cotangents = value.map((each, k) => (k === i ? unit : sg.zeros(each.shape)));
            return total(vjp(cotangents).map((gradient, k) => gradient.mul(tangents[k]).sum()));
          });
          return elements.length > 0 ? sg.stack(elements).reshape(result.shape) : result;
        });
        return [...value, ...along];
      },
    };
  },
  jacobian(of, pick) {
    const argument = one({ pick }, floatArgs(of));
    const how = one({ pick }, ["forward", "reverse", undefined, "reverse", "vmap", "scan"] as const);
    const f = (...xs: readonly T[]) => of.call(xs).find(isFloat)!;
    const ofOne = (xs: readonly T[]) => (x: T) => f(...replaced(xs, [argument], [x]));
    return {
      args: of.args,
      call: (xs) => {
        if (how !== "vmap" && how !== "scan") return [sg.jacobian(f, { argument, mode: how })(...xs)];
        const { value, vjp } = sg.vjp(ofOne(xs), xs[argument]);
        const basis = sg.eye(value.size).reshape([value.size, ...value.shape]);
        const pull = (cotangent: T) => vjp(cotangent)[0];
        const step = (carry: null, cotangent: T): [null, T] => [carry, pull(cotangent)];
        const rows = how === "vmap" ? sg.vmap(pull)(basis) : sg.scan(step, null, basis)[1];
        return [rows.reshape([...value.shape, ...xs[argument].shape])];
      },
      writtenOut: (xs) => [rowsOf(ofOne(xs), xs[argument])],
      keepsBits: how !== "forward" && how !== undefined,
    };
  },
  hessian(of, pick) {
    const argument = one({ pick }, floatArgs(of));
    const mode = one({ pick }, [undefined, "forward", "reverse"] as const);
    const loss = (...xs: readonly T[]) => weighed(of.call(xs).filter(isFloat), 7);
    const ofOne = (xs: readonly T[]) => (x: T) => loss(...replaced(xs, [argument], [x]));
    return {
      args: of.args,
      call: (xs) => [sg.hessian(loss, { argument, mode })(...xs)],
      writtenOut: (xs) => [rowsOf((x) => sg.grad(ofOne(xs))(x), xs[argument])],
    };
  },
  /** Written out, the gradient's derivative along the directions. */
  hvp(of, pick) {
    const at = some(pick, floatArgs(of));
    const directions = at.map((i) => numbers(of.args[i].shape, 60 + i));
    const loss = (xs: readonly T[]) => {
      const f = partly(of, xs, at);
      return (...own: readonly T[]) => weighed(f(...own), 7);
    };
    const given = (xs: readonly T[]) => at.map((i) => xs[i]);
    return {
      args: of.args,
      call: (xs) => sg.hvp(loss(xs), given(xs), directions).hvp,
      writtenOut: (xs) => {
        const gradient = sg.valueAndGrad(loss(xs));
        return sg.jvp((...own: readonly T[]) => gradient(...own).gradients as readonly T[], given(xs), directions)
          .tangent;
      },
    };
  },
  /** Whose gradient by hand is its own. */
  customGradient({ args, call }) {
    const f = (xs: readonly T[]) => call(xs).find(isFloat)!;
    const backward = ({ grad, inputs }: sg.CustomGradientContext) => {
      const at = [...inputs.keys()].filter((i) => isFloat(inputs[i]));
      const { vjp } = sg.vjp((...own: readonly T[]) => f(replaced(inputs, at, own)), ...at.map((i) => inputs[i]));
      const parts = vjp(grad);
      return inputs.map((_, i) => (at.includes(i) ? parts[at.indexOf(i)] : null));
    };
    return {
      args,
      call: (xs) => [sg.customGradient((...own: readonly T[]) => f(own), backward)(...xs)],
      writtenOut: (xs) => [f(xs)],
      drawsOtherwise: true,
    };
  },
} satisfies Record<string, (of: Fn, pick: Pick) => Transformed>;

const weights: Readonly<Record<keyof typeof transforms, number>> = {
  vmap: 2,
  checkpoint: 2,
  scan: 3,
  grad: 2,
  jvp: 1,
  jacobian: 2,
  hessian: 1,
  hvp: 1,
  customGradient: 1,
};
const names = Object.entries(weights).flatMap(([name, weight]) =>
  Array<keyof typeof transforms>(weight).fill(name as never),
);
/** Those that differentiate what is in them. */
export const derives: readonly string[] = ["grad", "jvp", "jacobian", "hessian", "hvp"];

/** The function that the choices spell, with one of its transforms written out, if any is. */
export function chained(
  choices: readonly number[],
  writtenOut = -1,
): { fn: Fn; steps: (Transformed & { name: string })[] } {
  const { pick } = tape(choices);
  let fn = grown([...choices].reverse());
  const count = 1 + pick(3);
  const steps = Array.from({ length: count }, (_, i) => {
    const name = one({ pick }, names);
    const made = transforms[name](fn, tape(choices.slice(4 + 9 * i)).pick);
    const call = i === writtenOut ? made.writtenOut! : made.call;
    fn = { name: `${name}${i === writtenOut ? ", written out," : ""} of ${fn.name}`, args: made.args, call };
    return { ...made, name };
  });
  return { fn, steps };
}

export function traced({ name, args, call }: Fn): Graph {
  const ports = Object.fromEntries(args.map((port, i) => [`in${i}`, port]));
  try {
    return traceGraph(ports, (nodes) => {
      const results = call(Object.values(nodes).map(wrap));
      return { outputs: Object.fromEntries(results.map(({ node }, i) => [`out${i}`, node])) };
    });
  } catch (error) {
    (error as Error).message += `, in ${name}`;
    throw error;
  }
}
