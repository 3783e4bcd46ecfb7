// One kernel tried on two backends: alone in a plan, over inputs that show contraction, other orders, flushed subnormals and loose rounding, and the
// results compared to the bit. Backends print a kernel alone as they print it in its plan.

import { isFold, type KernelInput, kernelInputs, loopShape, mapInputs } from "../../kernels/kernel.ts";
import { type Kernel, kernelIndices } from "../../kernels/kinds.ts";
import { expressionText } from "../../kernels/text.ts";
import { wordOf } from "../../kernels/word.ts";
import type { Backend, Trial } from "../compile/contract.ts";
import type { Plan, Value } from "../compile/plan.ts";
import { canonicalBytes, float32FromBits, sha256Parts, toHex } from "../core/canonical.ts";
import type { NarrowFormat } from "../core/dtype.ts";
import { type DType, makeArray, type TypedArray } from "../core/dtype.ts";
import { formatShape, sizeOf } from "../core/shape.ts";
import { fillWords } from "../rng/draws.ts";
import { narrowed } from "./narrow.ts";

/** An array that a subject reads; as an index it holds what is below `below`. */
export interface Given {
  readonly dtype: DType;
  readonly size: number;
  readonly below?: number;
  /** All elements are numbers of this format. */
  readonly storage?: NarrowFormat;
}

/** A kernel to be tried: its sources are 0, 1 … of `given`, its output the value behind them. */
export interface Subject {
  readonly name: string;
  readonly kernel: Kernel;
  readonly given: readonly Given[];
  /** Equal for kernels that compute the same from the same. */
  readonly key: string;
}

/** Bit patterns at which float32 arithmetic changes: zeros, ends of the subnormals and normals, powers of two and their neighbours, halves, infinities, NaN. */
export const patterns: readonly number[] = [
  ...[0x00000000, 0x00000001, 0x00000002, 0x00400000, 0x007fffff, 0x00800000, 0x00800001, 0x00ffffff, 0x01000000],
  ...[0x0d000001, 0x1f800001, 0x20000000, 0x33800000, 0x33800001, 0x34000000, 0x3e99999a, 0x3f000000, 0x3f7fffff],
  ...[0x3f800000, 0x3f800001, 0x3fc00000, 0x3fffffff, 0x40400000, 0x4b000001, 0x4b7fffff, 0x4b800001, 0x4f000000],
  ...[0x5f000001, 0x60000000, 0x7e800001, 0x7f000000, 0x7f7fffff, 0x7f800000, 0x7fc00000],
].flatMap((bits) => [bits, bits + 2 ** 31]);

/** A subject of a plan's kernel. */
export function subjectOf(kernel: Kernel, plan: Plan): Subject {
  const numbers = new Map<number, number>();
  const storages = new Map<number, NarrowFormat>();
  for (const { source, storage } of kernelInputs(kernel)) {
    if (typeof source !== "number") continue;
    if (!numbers.has(source)) numbers.set(source, numbers.size);
    if (storage) storages.set(source, storage);
  }
  const below = new Map<number, number>();
  for (const { at, extent } of kernelIndices(kernel)) {
    const source = at.source as number;
    below.set(source, Math.min(extent, below.get(source) ?? extent));
  }
  const given = [...numbers.keys()].map((value) => ({
    dtype: plan.values[value].dtype,
    size: plan.values[value].size,
    ...(below.has(value) && { below: below.get(value) }),
    ...(storages.has(value) && { storage: storages.get(value) }),
  }));
  const renumbered = mapInputs(kernel, (input): KernelInput => {
    return { ...input, source: typeof input.source === "number" ? numbers.get(input.source)! : input.source };
  });
  const { repeat, ...alone } = renumbered as Kernel & { kind: "loop" };
  return subject(nameOf(kernel), { ...alone, output: given.length }, given);
}

/** A subject by its kernel. */
export function subject(name: string, kernel: Kernel, given: readonly Given[]): Subject {
  const written = kernel.kind === "loop" ? { ...kernel, body: expressionText(kernel.body) } : kernel;
  const exact = (_: string, value: unknown) =>
    typeof value === "number" && (Object.is(value, -0) || !Number.isFinite(value))
      ? `${Object.is(value, -0) ? "-0" : value}`
      : value;
  return { name, kernel, given, key: JSON.stringify([written, given], exact) };
}

/** What a kernel is called: its form, its output's shape and what it folds. */
export function nameOf(kernel: Kernel): string {
  const over = isFold(kernel) ? ` over ${formatShape(loopShape(kernel).slice(kernel.shape.length))}` : "";
  return `${wordOf(kernel)} ${formatShape(kernel.shape)}${over}`;
}

/** After how many elements of a source the next pattern comes, so that several sources have every combination. */
const turns = [1, patterns.length, patterns.length * patterns.length];

/** A quarter of what integers are; uint32 has their bits. */
const integers = [0, 1, -1, 3, -7, 2 ** 24 + 1, 2 ** 31 - 1, -(2 ** 31)];

/** `terms`: how many of them one element of the output comes from. */
type Fill = (word: number, at: number, source: number, terms: number) => number;

/** A float of the word's sign and fraction, with an exponent from `low` on, of `many`. */
const sized = (word: number, low: number, many: number) =>
  float32FromBits(((word & 0x807fffff) | ((low + ((word >>> 23) % many)) << 23)) >>> 0);

const pattern = (place: number) => float32FromBits(patterns[place % patterns.length]);

/**
 * What float32 inputs hold. Mixed sizes near 1, at which every term of a sum counts; sizes whose products are subnormal, and subnormals; every pair of patterns
 * (in folds mostly small ones, and the others, NaN in a third of the cases, so rarely that half of the results have none among their terms); any bits.
 */
const fills: Readonly<Record<string, { readonly fill: Fill; readonly inFolds: boolean }>> = {
  samples: { fill: (word) => sized(word, 117, 20), inFolds: true },
  small: { fill: (word) => (word & 1 ? sized(word, 50, 24) : sized(word, 0, 4)), inFolds: true },
  patterns: {
    fill: (_, at, source) => pattern(Math.floor(at / turns[source % turns.length])),
    inFolds: false,
  },
  "some patterns": {
    fill(word, _at, _source, terms) {
      const x = word % 3 === 0 ? Number.NaN : pattern(word >>> 8);
      return (word >>> 4) % (2 * terms) !== 0 && !(Math.abs(x) < 2 ** 40) ? sized(word, 100, 8) : x;
    },
    inFolds: true,
  },
  bits: { fill: float32FromBits, inFolds: false },
};

function elements(
  { dtype, size, below, storage }: Given,
  source: number,
  turn: number,
  fill: (word: number, at: number) => number,
): TypedArray {
  const words = new Uint32Array(size);
  fillWords(3n, (turn * 64 + source) * 2 ** 30, words);
  const data = makeArray(dtype, size);
  const any = (word: number) => {
    if (below !== undefined) return word % below;
    return word % 4 === 0 ? integers[(word >>> 2) % integers.length] : word;
  };
  const kept = storage ? narrowed[storage] : Math.fround;
  for (let i = 0; i < size; i++)
    data[i] = dtype === "float32" ? kept(fill(words[i], i)) : dtype === "bool" ? words[i] & 1 : any(words[i]);
  return data;
}

/** The kernel without what is said of how values are kept in memory: whoever reads and writes 16 bits reads and writes 32. */
function unstored(kernel: Kernel): Kernel {
  const { storage, ...plain } = mapInputs(kernel, ({ storage, ...input }): KernelInput => input) as Kernel & {
    kind: "loop";
  };
  return plain;
}

/** The plan of one kernel. */
function planOf({ kernel, given }: Subject): Plan {
  const { dtype, shape, output } = kernel;
  const values = [
    ...given.map(({ dtype, size }, index): Value => ({ dtype, size, shape: [size], place: { kind: "input", index } })),
    { dtype, shape, size: sizeOf(shape), place: { kind: "output", index: 0 } } as const,
  ];
  return {
    graph: { seed: 0n, inputs: [], outputs: [], watched: [], state: [], draws: 0, base: 0 },
    key: "trial",
    graphHash: "",
    values,
    kernels: [kernel],
    inputs: given.map(({ dtype, size }, value) => ({ name: `x${value}`, dtype, shape: [size], value })),
    outputs: [{ name: "y", dtype, shape, value: output }],
    state: [],
    draws: 0,
    nodeCount: 0,
  };
}

/** Elements of an output that are looked at for each kind of data, where that takes no more than 8 runs. */
const fewest = 256;

/** Scalar operations, about, that a run may compute again of what the device isn't sure of (all of it would take a large kernel minutes on a driver in software), and terms of those runs that are done for want of outputs. */
const mostWork = 2 ** 17;

/** What a backend gives for one kind of data, and how many elements it left as they had been. */
interface Result {
  readonly elements: TypedArray;
  readonly left: number;
}

/** A plan of one kernel on a backend, and memory for what it reads and writes. */
interface Alone {
  /** `before`: what the output holds before it; then not all is computed again of what the backend isn't sure of. */
  run(data: readonly TypedArray[], before?: TypedArray): Promise<Result>;
  dispose(): void;
}

async function alone(backend: Backend, plan: Plan): Promise<Alone> {
  const executable = await backend.load(plan);
  const buffersOf = (ports: Plan["inputs"]) => ports.map(({ dtype, shape }) => backend.allocate(dtype, sizeOf(shape)));
  const [inputs, outputs] = [buffersOf(plan.inputs), buffersOf(plan.outputs)];
  return {
    async run(data, before) {
      inputs.forEach((buffer, i) => {
        backend.write(buffer, data[i]);
      });
      let left = 0;
      const repairs = before && { most: mostWork, left: (outputs: number) => (left = outputs) };
      if (before) backend.write(outputs[0], before);
      await executable.run({ inputs, outputs, seed: 5n, base: 2 ** 33 + 1, repairs });
      return { elements: await backend.read(outputs[0]), left };
    },
    dispose() {
      executable.dispose();
      for (const buffer of [...inputs, ...outputs]) backend.free(buffer);
    },
  };
}

const wordsOf = (data: TypedArray) =>
  data instanceof Uint8Array ? data : new Uint32Array(data.buffer, data.byteOffset, data.length);

/** Elements that none of the expected ones is: bits of each are changed, of a bool one that it doesn't have. */
function unlike(expected: TypedArray): TypedArray {
  const copy = expected.slice();
  const words = wordsOf(copy);
  for (let i = 0; i < words.length; i++) words[i] ^= words instanceof Uint8Array ? 2 : 0x5a5a5a5a;
  return copy;
}

/** The elements that a device gave, with the expected ones in the place of those that it says it left as they had been. */
function filled({ elements, left }: Result, before: TypedArray, expected: TypedArray): TypedArray {
  if (left === 0) return elements;
  const [got, old] = [wordsOf(elements), wordsOf(before)];
  const all = elements.slice();
  let found = 0;
  for (let i = 0; i < got.length; i++) {
    if (got[i] !== old[i]) continue;
    all[i] = expected[i];
    found++;
  }
  return found === left ? all : elements;
}

/** Tries a kernel on `device` against a backend of class A. */
export async function tryKernel(tried: Subject, device: Backend, against: Backend): Promise<Trial> {
  const { name, kernel, given } = tried;
  const [plan, plain] = [planOf(tried), planOf({ ...tried, kernel: unstored(kernel) })];
  const isFloat = given.some(({ dtype }) => dtype === "float32");
  const terms = isFold(kernel) ? sizeOf(kernel.fold.reduced) : 1;
  // A small kernel sees no more data than a large one otherwise.
  const size = sizeOf(kernel.shape);
  const times = Math.max(1, Math.min(8, Math.ceil(fewest / size), Math.floor(mostWork / (size * terms))));
  const chosen = Object.entries(fills)
    .filter(([, { inFolds }], i) => (isFloat ? inFolds || !isFold(kernel) : i < 2))
    .flatMap((each) => Array.from({ length: times }, () => each));
  // The backend that is right, and then the device's.
  const used = [await alone(against, plain)];
  const parts: Uint8Array[] = [];
  let fault: string | undefined;
  const faultIn = async (label: string, data: readonly TypedArray[], expected: TypedArray) => {
    const before = unlike(expected);
    used[1] ??= await alone(device, plan);
    const got = canonicalBytes(filled(await used[1].run(data, before), before, expected));
    const found = difference(got, parts.at(-1)!, kernel.dtype);
    return found && `element ${found.element}: ${found.got}, expected ${found.expected} (${label})`;
  };
  try {
    for (const [turn, [label, { fill }]] of chosen.entries()) {
      const data = given.map((each, source) =>
        elements(each, source, turn, (word, at) => fill(word, at + (turn % times) * each.size, source, terms)),
      );
      const { elements: expected } = await used[0].run(data);
      parts.push(canonicalBytes(expected));
      fault ??= await faultIn(label, data, expected).catch((error: Error) => error.message.split("\n")[0]);
    }
  } finally {
    for (const each of used) each.dispose();
  }
  return { name, sha256: toHex(sha256Parts(parts)), ...(fault !== undefined && { fault }) };
}

/** The first element of canonical bytes in which two results differ, and its bits in both as hex digits. */
export function difference(
  got: Uint8Array,
  expected: Uint8Array,
  dtype: DType,
): { readonly element: number; readonly got: string; readonly expected: string } | undefined {
  let at = 0;
  while (at < got.length && got[at] === expected[at]) at++;
  if (at === got.length) return undefined;
  const width = dtype === "bool" ? 1 : 4;
  const element = Math.floor(at / width);
  const hex = (bytes: Uint8Array) => toHex(bytes.slice(element * width, (element + 1) * width).reverse());
  return { element, got: hex(got), expected: hex(expected) };
}
