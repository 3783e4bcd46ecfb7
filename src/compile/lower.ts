// From a graph to its plan: fusion, and state in place. State is updated where it lives when no later kernel reads the old
// value or may yet refuse an index; otherwise the new value waits as a temporary one and is copied last. So a run that ends early leaves state as it was.

import { isMap, kernelInputs, mapInputs, type Source, type Stored } from "../../kernels/kernel.ts";
import type { Kernel } from "../../kernels/kinds.ts";
import { isContiguous } from "../../kernels/view.ts";
import { importing } from "../core/lazy.ts";
import { type Graph, graphNodes } from "../graph/graph.ts";
import { lastCheck } from "./checks.ts";
import { withoutCopies } from "./copies.ts";
import { type Fused, type FuseOptions, fuse } from "./fuse.ts";
import { wholeOf } from "./fused.ts";
import { graphHash, planKey } from "./hash.ts";
import { homeOf, type Plan, readersOf, type Value } from "./plan.ts";
import { withoutWindows } from "./windows.ts";

/** Lowers a graph, and imports what that needs. */
export async function planGraph(graph: Graph, options: FuseOptions = {}): Promise<Plan> {
  const made = await importing(() => fuse(graph, options));
  return importing(() => planOf(graph, made, options));
}

/** The same where nobody can wait: what it needs is there, or it throws BackendError. */
export const lower = (graph: Graph, options: FuseOptions = {}): Plan => planOf(graph, fuse(graph, options), options);

function planOf(graph: Graph, made: Fused, { fuse: isFused = true }: FuseOptions): Plan {
  const fused = isFused ? { ...made, kernels: withoutWindows({ ...made, kernels: withoutCopies(made) }) } : made;
  settleState(graph, fused);
  const kernels = fused.kernels
    .filter((kernel) => fused.values[kernel.output].size > 0)
    .map((kernel) => withStorage(kernel, fused.values));
  return {
    graph,
    key: planKey(graph),
    graphHash: graphHash(graph),
    values: fused.values,
    kernels,
    inputs: fused.inputs,
    outputs: fused.outputs,
    state: graph.state,
    draws: graph.draws,
    nodeCount: graphNodes(graph, { watched: true }).length,
  };
}

/** Sends every state output that can't be written in place through a temporary value. */
function settleState(graph: Graph, { values, kernels, inputs, outputs }: Fused): void {
  const checked = lastCheck(kernels);
  const writer = new Map(kernels.map(({ output }, at) => [output, at]));
  const readers = readersOf(kernels, (value) => homeOf(values, value));
  for (const { input, output } of graph.state) {
    const from = inputs[input].value;
    const to = outputs[output].value;
    const at = writer.get(to);
    if (at === undefined || (at > checked && safeInPlace(kernels, at, from, readers.get(from) ?? new Set()))) continue;
    const waiting = values.push({ ...values[to], place: { kind: "temporary" } }) - 1;
    kernels.forEach((kernel, i) => {
      kernels[i] = renumber(kernel, to, waiting);
    });
    for (const { place } of values) if (place.kind === "part" && place.of === to) Object.assign(place, { of: waiting });
    kernels.push(copyOf(waiting, to, values[to]));
  }
}

/** Whether kernel `at` may write over the value `from`: nobody reads it later, and the kernel itself only element by element. */
function safeInPlace(kernels: readonly Kernel[], at: number, from: number, readers: ReadonlySet<number>): boolean {
  const kernel = kernels[at];
  if (Math.max(...readers, -1) > at) return false;
  const reads = kernelInputs(kernel).filter(({ source }) => source === from);
  return reads.length === 0 || (isMap(kernel) && reads.every(({ view, index }) => !index && isContiguous(view)));
}

function copyOf(source: number, output: number, { dtype, shape }: Value): Kernel {
  const { inputs, body } = wholeOf(source, { dtype, shape });
  return { kind: "loop", output, dtype, shape, inputs, body };
}

/** The kernel with one value replaced by another, read or written. */
function renumber(kernel: Kernel, from: number, to: number): Kernel {
  const swapped = mapInputs(kernel, (input) => (input.source === from ? { ...input, source: to } : input));
  return kernel.output === from ? { ...swapped, output: to } : swapped;
}

/** The kernel told how the values that it reads and writes are kept. */
function withStorage(kernel: Kernel, values: readonly Value[]): Kernel {
  const told = <T extends Stored>(stored: T, source: Source): T => {
    const storage = typeof source === "number" ? values[source].storage : undefined;
    return storage ? { ...stored, storage } : stored;
  };
  const within = mapInputs(kernel, (input) => told(input, input.source));
  return told(within, kernel.output);
}
