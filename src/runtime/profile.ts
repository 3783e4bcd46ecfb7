// How long each kernel of a plan takes, run by itself on a backend over what it reads in the plan's run.
import { mapInputs, sourcesOf } from "../../kernels/kernel.ts";
import type { Kernel } from "../../kernels/kinds.ts";
import type { Backend, Buffer } from "../compile/contract.ts";
import { timesOf } from "../compile/cost.ts";
import type { Plan, Value } from "../compile/plan.ts";
import type { TypedArray } from "../core/dtype.ts";
import { now } from "./clock.ts";

/** A plan, and what a run of it is given. */
interface Given {
  readonly plan: Plan;
  readonly inputs: readonly TypedArray[];
}

/** The least of a few times of each kernel. They run one after another, each over what those before it have made; its own output is beside the step's. */
export async function kernelTimes(
  backend: Backend,
  { plan, inputs }: Given,
  draws: { readonly seed: bigint; readonly base: number },
  repeats: number,
): Promise<number[]> {
  const buffers = new Map<number, Buffer>();
  const hold = (value: number): Buffer => {
    const { dtype, size } = plan.values[value];
    const buffer = backend.allocate(dtype, size);
    buffers.set(value, buffer);
    return buffer;
  };
  const lastReader = new Map(plan.kernels.flatMap((kernel, i) => sourcesOf(kernel).map((source) => [source, i])));
  const seconds: number[] = [];
  try {
    plan.inputs.forEach(({ value }, i) => {
      backend.write(hold(value), inputs[i]);
    });
    for (const [i, kernel] of plan.kernels.entries()) {
      const alone = planOf(plan, kernel);
      const executable = await backend.load(alone);
      try {
        // What another kernel wrote part by part, or a part of it, is stood for by zeros.
        const given = alone.inputs.map(({ name }) => buffers.get(Number(name)) ?? hold(Number(name)));
        const run = { inputs: given, outputs: [hold(kernel.output)], ...draws };
        let least = Number.POSITIVE_INFINITY;
        for (let repeat = 0; repeat < repeats; repeat++) {
          const start = now();
          await executable.run(run);
          least = Math.min(least, now() - start);
        }
        seconds.push(least * timesOf(kernel));
      } finally {
        executable.dispose();
      }
      for (const value of [...sourcesOf(kernel), kernel.output]) {
        const buffer = buffers.get(value);
        if (!buffer || (lastReader.get(value) ?? i) > i) continue;
        backend.free(buffer);
        buffers.delete(value);
      }
    }
  } finally {
    for (const buffer of buffers.values()) backend.free(buffer);
  }
  return seconds;
}

/** A kernel as a plan: what it reads are its inputs, what it writes is its output. */
function planOf(plan: Plan, kernel: Kernel): Plan {
  const sources = sourcesOf(kernel);
  const inputs = sources.filter((source) => plan.values[source].place.kind !== "constant");
  const numbers = new Map([...sources, kernel.output].map((value, i) => [value, i]));
  const values = [...sources, kernel.output].map((source, i): Value => {
    const { place, ...value } = plan.values[source];
    if (i === sources.length) return { ...value, place: { kind: "output", index: 0 } };
    return place.kind === "constant"
      ? { ...value, place }
      : { ...value, place: { kind: "input", index: inputs.indexOf(source) } };
  });
  const own = mapInputs(kernel, (input) =>
    typeof input.source === "number" ? { ...input, source: numbers.get(input.source)! } : input,
  );
  const port = (source: number) => ({ ...plan.values[source], name: String(source), value: numbers.get(source)! });
  return {
    ...plan,
    values,
    kernels: [{ ...own, output: sources.length, repeat: undefined }],
    inputs: inputs.map(port),
    outputs: [{ ...plan.values[kernel.output], name: "output", value: sources.length }],
    state: [],
  };
}
