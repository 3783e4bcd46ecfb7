// An audit of a run in progress: of a share of the kernels that a device runs, a tile is computed again by the interpreter, from what they read on the device, and held
// against what they wrote there. Which kernels and which tiles depends on a counter alone: nothing is drawn from a stream.
import { isDraws, type KernelInput, loopShape, mapInputs } from "../../kernels/kernel.ts";
import { type Kernel, kindOf } from "../../kernels/kinds.ts";
import { sliceView } from "../../kernels/view.ts";
import type { Executable, Probe, Run } from "../compile/contract.ts";
import type { Plan } from "../compile/plan.ts";
import { canonicalBytes } from "../core/canonical.ts";
import { type DType, makeArray, type TypedArray } from "../core/dtype.ts";
import { ReproError } from "../core/errors.ts";
import { sizeOf } from "../core/shape.ts";
import { interpretKernel } from "./interpret.ts";
import { difference, nameOf } from "./trial.ts";

/** A tile of a loop is about this many points; kernels of other kinds are computed whole. */
const tilePoints = 2 ** 18;

/** A number in [0, 2³²) that looks like any other (the finalizer of MurmurHash3, Appleby 2011). */
function mixed(x: number): number {
  let h = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** Of a plan's kernel the part that gives rows `from` to `from + count` of its output's first axis. */
function tileOf(kernel: Kernel, from: number, count: number): Kernel {
  if (kernel.kind !== "loop") return kernel;
  const rest = kernel.shape.slice(1);
  const cut = (input: KernelInput): KernelInput => {
    const { view, source } = input;
    const starts = view.shape.map((_, axis) => (axis === 0 ? from : 0));
    const shape = [count, ...view.shape.slice(1)];
    const moved = isDraws(source) ? { firstDraw: source.firstDraw + from * sizeOf(rest) } : source;
    return {
      ...input,
      source: moved,
      view: sliceView(
        view,
        starts,
        shape.map(() => 1),
        shape,
      ),
    };
  };
  return { ...mapInputs(kernel, cut), shape: [count, ...rest] };
}

/** Audits what one backend runs. */
export class Audit {
  readonly #backend: string;
  readonly #share: number;
  #looks = 0;
  #tiles = 0;

  /** `share` of the kernels that run, from 0 to 1. */
  constructor(backend: string, share: number) {
    this.#backend = backend;
    this.#share = share;
  }

  /** What was held against the interpreter so far. */
  get record(): { readonly share: number; readonly tiles: number } {
    return { share: this.#share, tiles: this.#tiles };
  }

  /** The executable, audited. */
  over(executable: Executable): Executable {
    if (this.#share === 0) return executable;
    const { plan } = executable;
    return {
      plan,
      scratchBytes: executable.scratchBytes,
      sources: executable.sources,
      run: (run) => this.#run(executable, run),
      dispose: () => executable.dispose(),
    };
  }

  #run(executable: Executable, run: Run): void | Promise<void> {
    const { plan } = executable;
    const seed = mixed(this.#looks);
    this.#looks += plan.kernels.length;
    const chosen = new Set(
      plan.kernels.flatMap((_, kernel) => (mixed(seed + kernel) < this.#share * 2 ** 32 ? [kernel] : [])),
    );
    if (chosen.size === 0) return executable.run(run);
    const probe: Probe = {
      kernels: chosen,
      seen: (kernel, elements, base) => this.#check(plan, kernel, elements, { ...run, base }, mixed(seed - kernel)),
    };
    return executable.run({ ...run, probe });
  }

  #check(
    plan: Plan,
    number: number,
    elements: ReadonlyMap<number, TypedArray>,
    { seed, base }: Run,
    word: number,
  ): void {
    const kernel = plan.kernels[number];
    const { output, dtype, shape } = kernel;
    const size = sizeOf(shape);
    if (size === 0) return;
    const isCut = kernel.kind === "loop" && shape.length > 0;
    const rows = isCut ? shape[0] : 1;
    const points = kernel.kind === "loop" ? sizeOf(loopShape(kernel)) : kindOf(kernel).work(kernel);
    const count = isCut ? Math.max(1, Math.min(rows, Math.floor(tilePoints / (points / rows)))) : 1;
    const from = Math.min(rows - count, count * (word % Math.ceil(rows / count)));
    const expected = makeArray(dtype, (size / rows) * count);
    const array = (value: number) => (value === output ? expected : elements.get(value)!);
    const tile = isCut ? tileOf(kernel, from, count) : kernel;
    void interpretKernel(tile, plan).run({ array, seed, base });
    const first = (size / rows) * from;
    this.#compare(plan, number, elements.get(output)!.subarray(first, first + expected.length), expected, first, dtype);
    this.#tiles++;
  }

  #compare(plan: Plan, number: number, got: TypedArray, expected: TypedArray, first: number, dtype: DType): void {
    const found = difference(canonicalBytes(got), canonicalBytes(expected), dtype);
    if (!found) return;
    throw new ReproError({
      where: `${this.#backend}: kernel ${number}, ${nameOf(plan.kernels[number])}: element ${first + found.element}`,
      problem: "an audit of the device found bits that aren't class A's",
      got: found.got,
      expected: found.expected,
      hint: "use the backend wasm, and go on from a checkpoint that was saved before; seedgrad verify tells which are right",
    });
  }
}
