// A program at vectors of 8, held against the same at vectors of 4: what its first run is to give, and a later one's, when V8 has optimized its functions, is
// computed at both widths before anything is written. Vectors of 4 stay V8's plain code: they run too seldom to be optimized.
import { mapInputs } from "../../../kernels/kernel.ts";
import { wordOf } from "../../../kernels/word.ts";
import type { Backend, Buffer, Executable, Run } from "../../compile/contract.ts";
import type { Plan } from "../../compile/plan.ts";
import { canonicalBytes } from "../../core/canonical.ts";
import { ReproError } from "../../core/errors.ts";
import { sizeOf } from "../../core/shape.ts";

/** Which runs are computed at both widths, from 1. */
const checkedRuns: readonly number[] = [1, 64];

/** Makes a plan ready at a width. */
export type LoadAt = (plan: Plan, width: 4 | 8) => Executable | Promise<Executable>;

export class CheckedExecutable implements Executable {
  readonly #inner: Executable;
  readonly #memory: Pick<Backend, "allocate" | "read" | "free">;
  readonly #load: LoadAt;
  #runs = 0;

  constructor(inner: Executable, memory: Pick<Backend, "allocate" | "read" | "free">, load: LoadAt) {
    this.#inner = inner;
    this.#memory = memory;
    this.#load = load;
  }

  get plan(): Plan {
    return this.#inner.plan;
  }

  get scratchBytes(): number {
    return this.#inner.scratchBytes;
  }

  get sources(): Executable["sources"] {
    return this.#inner.sources;
  }

  /** Throws ReproError, and has then written nothing, where the widths differ. */
  run(run: Run): void | Promise<void> {
    if (!checkedRuns.includes(++this.#runs)) return this.#inner.run(run);
    return this.#check(run).then(() => this.#inner.run(run));
  }

  async #check(run: Run): Promise<void> {
    const { plan } = this;
    const narrow = await this.#load(plan, 4);
    const [expected, found] = [await this.#outputs(narrow, run), await this.#outputs(this.#inner, run)];
    narrow.dispose();
    const at = firstOther(expected, found);
    if (at === undefined) return;
    const kernel = await this.#wrongKernel(run);
    throw new ReproError({
      where: kernel ?? `output ${plan.outputs[at].name}`,
      problem: `vectors of 8 give other bits than vectors of 4 in run ${this.#runs} of a program`,
      hint: "vectors of 4 (--vector-width 4) don't rely on what V8 made of this; a bug of the engine, or of this package: please report it",
    });
  }

  /** What a run gives, in memory of its own. */
  async #outputs(executable: Executable, run: Run): Promise<Uint8Array[]> {
    const buffers: Buffer[] = [];
    try {
      for (const { dtype, shape } of executable.plan.outputs) buffers.push(this.#memory.allocate(dtype, sizeOf(shape)));
      await executable.run({ ...run, outputs: buffers });
      return await Promise.all(buffers.map(async (buffer) => canonicalBytes(await this.#memory.read(buffer))));
    } finally {
      for (const buffer of buffers) this.#memory.free(buffer);
    }
  }

  /** The first kernel that gives other bits, by its number and what it is; undefined where none does once each one's values are kept. */
  async #wrongKernel(run: Run): Promise<string | undefined> {
    const { plan, told } = withAllValues(this.plan);
    const results: Uint8Array[][] = [];
    for (const width of [4, 8] as const) {
      const executable = await this.#load(plan, width);
      results.push(await this.#outputs(executable, run).finally(() => executable.dispose()));
    }
    const at = firstOther(results[0], results[1]);
    return at === undefined ? undefined : `kernel ${told[at]}, ${wordOf(plan.kernels[told[at]])}`;
  }

  dispose(): void {
    this.#inner.dispose();
  }
}

/** The number of the first list of bytes that differs. */
function firstOther(a: readonly Uint8Array[], b: readonly Uint8Array[]): number | undefined {
  const at = a.findIndex((bytes, i) => bytes.some((byte, j) => byte !== b[i][j]));
  return at < 0 ? undefined : at;
}

/** The plan with what each kernel writes as an output, in order, but for parts of other values; and the numbers of those kernels. */
function withAllValues(plan: Plan): { plan: Plan; told: number[] } {
  const plain = <T extends object>(stored: T): T => ({ ...stored, storage: undefined });
  const kernels = plan.kernels.map((kernel) => plain(mapInputs(kernel, plain)));
  const told = [...kernels.keys()].filter((number) => plan.values[kernels[number].output].place.kind !== "part");
  const numbers = new Map(told.map((number, index) => [kernels[number].output, index]));
  const values = plan.values.map((value, number) => {
    const index = numbers.get(number);
    return plain(index === undefined ? value : { ...value, place: { kind: "output" as const, index } });
  });
  const outputs = told.map((number) => {
    const { output } = kernels[number];
    const { dtype, shape } = values[output];
    return { name: `v${output}`, dtype, shape, value: output };
  });
  return { plan: { ...plan, kernels, values, outputs, state: [] }, told };
}
