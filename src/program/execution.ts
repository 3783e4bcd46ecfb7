// The running of calls, when it is their turn: it comes with the first that runs.
import type { Backend, Buffer } from "../compile/contract.ts";
import type { TypedArray } from "../core/dtype.ts";
import { Node } from "../graph/node.ts";
import { asCalled } from "../runtime/asked.ts";
import { materialize } from "../runtime/evaluate.ts";
import { store } from "../runtime/stored.ts";
import { bind, valueAtHand } from "../runtime/values.ts";
import { Tensor } from "../tensor/tensor.ts";
import { mapTree } from "../tensor/tree.ts";
import { type Call, type Execution, writeAll } from "./call.ts";
import type { Lineage } from "./lineage.ts";
import type { Program } from "./program.ts";
import { settleLineages } from "./settle.ts";
import { resultLeaf, type StateSlot } from "./trace.ts";

const named = (state: readonly StateSlot[], lineages: readonly Lineage[]) =>
  state.map(({ name }, i) => [name, lineages[i]] as const);

/** Runs what a call is of. Call under `exclusive`. */
export async function execute<R>(call: Call<R>): Promise<Execution<R>> {
  const { parts, values, lineages, base, scalars } = call;
  const { program, stream, log } = parts;
  const { graph, state, result } = program.traced;
  const backend = parts.backend instanceof Promise ? await parts.backend : parts.backend;
  const ready = call.staged ?? program.readyOn(backend) ?? (await program.load(backend, log));
  if (!call.staged) writeAll(ready, values);
  if (!lineages.every((lineage) => lineage.isOn(backend))) await settleLineages(backend, named(state, lineages));
  const { plan } = ready.executable;
  const inputs: Buffer[] = [];
  const buffers: Buffer[] = [];
  const scratch: Buffer[] = [];
  try {
    for (let i = 0; i < values.length; i++) {
      const value = values[i];
      if (!(value instanceof Node)) inputs.push(ready.staging[i]!);
      else inputs.push(argumentAtHand(call, value, backend) ?? (await argument(call, value, { backend, scratch })));
    }
    for (const { buffer } of lineages) inputs.push(buffer);
    for (const [i, { input, size }] of ready.ports.entries())
      buffers.push(input < 0 ? backend.allocate(plan.outputs[i].dtype, size) : inputs[input]);
    await ready.executable.run({ inputs, outputs: buffers, seed: stream.seed, base });
  } catch (error) {
    for (const [i, buffer] of buffers.entries()) if (ready.ports[i].input < 0) backend.free(buffer);
    throw asCalled(error, graph);
  } finally {
    for (const buffer of scratch) backend.free(buffer);
  }
  const take = (i: number) => {
    const node = resultLeaf(plan.outputs[i].shape, plan.outputs[i].dtype);
    bind(node, { backend, buffer: buffers[i] }, { owned: true });
    return new Tensor(node);
  };
  let at = 0;
  const given = mapTree(result, "", ({ value }) => (value instanceof Tensor ? take(at++) : value)) as R;
  const watched = Object.fromEntries(graph.watched.map(({ name }, i) => [name, take(graph.outputs.length + i)]));
  return { result: given, watched, graphHash: plan.graphHash, base, draws: graph.draws, scalars };
}

/** An argument's memory, if its value is on the backend and the call doesn't overwrite it. */
function argumentAtHand<R>(call: Call<R>, node: Node, backend: Backend): Buffer | undefined {
  const buffer = valueAtHand(backend, node)?.buffer;
  return buffer && node.op === "variable" && overwrites(call, buffer) ? undefined : buffer;
}

/** An argument's memory: computed if need be, and a copy where the call overwrites it. */
async function argument<R>(
  call: Call<R>,
  node: Node,
  { backend, scratch }: { readonly backend: Backend; readonly scratch: Buffer[] },
): Promise<Buffer> {
  const { buffer } = await materialize(backend, node);
  if (!overwrites(call, buffer)) return buffer;
  const copy = store(backend, await backend.read(buffer), buffer.dtype);
  scratch.push(copy.buffer);
  return copy.buffer;
}

/** Whether the call writes its state into this memory. */
function overwrites<R>({ parts, lineages }: Call<R>, buffer: Buffer): boolean {
  return parts.program.traced.state.some(({ written }, i) => written && lineages[i].buffer === buffer);
}

/** The elements of all inputs as the call that `values` were taken for would begin with them: arguments, scalars, state. Nothing is run. */
export async function peekInputs<R>(
  call: { program: Program<R>; values: readonly (Node | TypedArray)[]; lineages: readonly Lineage[] },
  backend: Backend,
): Promise<TypedArray[]> {
  const { program, values, lineages } = call;
  const { state } = program.traced;
  await settleLineages(backend, named(state, lineages));
  const read = async (buffer: Buffer) => (await backend.read(buffer)).slice();
  const inputs: TypedArray[] = [];
  for (const value of values)
    inputs.push(value instanceof Node ? await read((await materialize(backend, value)).buffer) : value);
  for (const { buffer } of lineages) inputs.push(await read(buffer));
  return inputs;
}
