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

/** The executable of a program that updates state, at vectors of 8; `load` makes a plan ready at a width. A run throws ReproError, and has then written nothing, where the widths differ. */
export function checkedExecutable(
  inner: Executable,
  memory: Pick<Backend, "allocate" | "read" | "free">,
  load: (plan: Plan, width: 4 | 8) => Executable | Promise<Executable>,
): Executable {
  let runs = 0;

  /** What a run gives, in memory of its own. */
  const outputsOf = async (executable: Executable, run: Run): Promise<Uint8Array[]> => {
    const buffers: Buffer[] = [];
    try {
      for (const { dtype, shape } of executable.plan.outputs) buffers.push(memory.allocate(dtype, sizeOf(shape)));
      await executable.run({ ...run, outputs: buffers });
      return await Promise.all(buffers.map(async (buffer) => canonicalBytes(await memory.read(buffer))));
    } finally {
      for (const buffer of buffers) memory.free(buffer);
    }
  };

  const outputsAt = async (plan: Plan, width: 4 | 8, run: Run): Promise<Uint8Array[]> => {
    const executable = await load(plan, width);
    return outputsOf(executable, run).finally(() => executable.dispose());
  };

  /** The first kernel that gives other bits, by its number and what it is; undefined where none does once each one's values are kept. */
  const wrongKernel = async (run: Run): Promise<string | undefined> => {
    const { plan, told } = withAllValues(inner.plan);
    const at = firstOther(await outputsAt(plan, 4, run), await outputsAt(plan, 8, run));
    return at === undefined ? undefined : `kernel ${told[at]}, ${wordOf(plan.kernels[told[at]])}`;
  };

  const check = async (run: Run): Promise<void> => {
    const at = firstOther(await outputsAt(inner.plan, 4, run), await outputsOf(inner, run));
    if (at === undefined) return;
    throw new ReproError({
      where: (await wrongKernel(run)) ?? `output ${inner.plan.outputs[at].name}`,
      problem: `vectors of 8 give other bits than vectors of 4 in run ${runs} of a program`,
      hint: "vectors of 4 (--vector-width 4) don't rely on what V8 made of this; a bug of the engine, or of this package: please report it",
    });
  };

  return {
    ...inner,
    run(run) {
      if (!checkedRuns.includes(++runs)) return inner.run(run);
      return check(run).then(() => inner.run(run));
    },
  };
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
