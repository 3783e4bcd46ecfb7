// Where two runs of a step part, as it is told; and the case that they part before the first op: what went in.
import type { TypedArray } from "../core/dtype.ts";
import type { Place } from "../graph/place.ts";
import { coordinatesOf, differences, sameElements, showElement, ulpDistance } from "./bits.ts";
import type { Cause } from "./causes.ts";
import type { SideState } from "./lockstep.ts";
import { causeOfBatch } from "./rows.ts";

/** Where two runs of a step part, and where in the program that was made: a gradient where its forward op was, an update where its optimizer was. */
export interface OpDifference extends Place {
  /** `input`: what went in differs already; `op`: inputs agree, the output doesn't; `kernel`: the same, of a fused kernel. */
  readonly kind: "input" | "op" | "kernel";
  /** Of a step's op: its number among the values of the first side's step, as `verify --op` has it. */
  readonly value?: number;
  /** The op's name, or the input's, or the kernel's. */
  readonly name: string;
  /** As `explain` prints it. */
  readonly node?: string;
  /** The first element that differs, how many do, and of how many. */
  readonly element: readonly number[];
  readonly count: number;
  readonly size: number;
  /** Each side's value there: decimal (bits in hex). */
  readonly first: string;
  readonly second: string;
  /** How many float32 values lie between; undefined where that says nothing. */
  readonly ulp?: number;
  /** What the meaning gives for these inputs, and which side has it. */
  readonly reference?: string;
  readonly agrees?: "first" | "second" | "both" | "neither";
  readonly cause: Cause;
}

/** The first element that differs, as a difference tells of it. */
export function valuesAt(first: TypedArray, second: TypedArray, shape: readonly number[]) {
  const { at, count } = differences(first, second, { most: 1 });
  const [index] = at;
  const float = first instanceof Float32Array && second instanceof Float32Array;
  return {
    index,
    element: coordinatesOf(index, shape),
    count,
    size: first.length,
    first: showElement(first, index),
    second: showElement(second, index),
    ulp: float ? ulpDistance(first[index], second[index]) : undefined,
  };
}

/** The first input, of those asked for by name, that isn't the same on both sides. */
export async function inputDifference(
  a: SideState,
  b: SideState,
  asked: (name: string) => boolean,
): Promise<OpDifference | undefined> {
  const inputs = new Map(b.record.plan.inputs.map(({ name }, i) => [name, b.record.inputs[i]]));
  for (const [i, { name, shape }] of a.record.plan.inputs.entries()) {
    const [first, second] = [a.record.inputs[i], inputs.get(name)];
    if (!asked(name) || second?.length !== first.length || sameElements(first, second)) continue;
    const { index: _, ...shown } = valuesAt(first, second, shape);
    return { kind: "input", name, ...shown, cause: await causeOfInput(name, [a, b], shown) };
  }
  return undefined;
}

/** The same elements, said to be of other samples. */
export async function samplesDifference(a: SideState, b: SideState): Promise<OpDifference> {
  const [x, y] = [a, b].map(({ batch }) => Array.from(batch!.indices));
  const at = x.findIndex((index, i) => index !== y[i]);
  return {
    kind: "input",
    name: "the samples' numbers",
    element: [at],
    count: x.filter((index, i) => index !== y[i]).length,
    size: x.length,
    first: String(x[at]),
    second: String(y[at]),
    cause: await causeOfBatch([a, b]),
  };
}

async function causeOfInput(
  name: string,
  sides: readonly [SideState, SideState],
  { first, second }: { first: string; second: string },
): Promise<Cause> {
  if (name.startsWith("argument/") && sides[0].batch && sides[1].batch) return causeOfBatch(sides);
  if (name.startsWith("scalar/"))
    return {
      name: "changed constant",
      detail: `${first.split(" ")[0]} and ${second.split(" ")[0]}: a number that comes from the host`,
    };
  return { name: "unknown", detail: "the two began from other values" };
}
