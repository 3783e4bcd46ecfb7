// A function of tensors as a plan that runs on buffers made once: a kernel's time without the call around it, as inside a training step.

import { planGraph } from "../../src/compile/lower.ts";
import { dtypeOf, type TypedArray } from "../../src/core/dtype.ts";
import type { Backend, Shape, Tensor } from "../../src/index.ts";
import { traceFunction } from "../../src/program/trace.ts";
import { bitsOf } from "../bits.ts";
import type { Runner } from "../harness.ts";

/** Draws of random ops come from the start of this seed's stream. */
const seed = 1n;

/** Traces, lowers and loads the function on the backend; a run computes its results from the operands anew; the first's bits are told. */
export async function planRunner(
  backend: Backend,
  fn: (...operands: Tensor[]) => Tensor | readonly Tensor[],
  operands: readonly { readonly data: TypedArray; readonly shape: Shape }[],
): Promise<Runner> {
  const typed = operands.map(({ data, shape }) => ({ data, shape, dtype: dtypeOf(data) }));
  // A trace makes tensors of what it is given.
  const { graph } = traceFunction(fn, typed as unknown as Tensor[], [], seed);
  const executable = await backend.load(await planGraph(graph));
  const inputs = typed.map(({ data, dtype }) => {
    const buffer = backend.allocate(dtype, data.length);
    backend.write(buffer, data);
    return buffer;
  });
  const outputs = executable.plan.outputs.map(({ dtype, shape }) =>
    backend.allocate(
      dtype,
      shape.reduce((size, extent) => size * extent, 1),
    ),
  );
  const run = { inputs, outputs, seed, base: 0 };
  return {
    run: () => executable.run(run),
    bits: async () => bitsOf(await backend.read(outputs[0])),
    dispose: () => {
      executable.dispose();
      for (const buffer of [...inputs, ...outputs]) backend.free(buffer);
    },
  };
}
