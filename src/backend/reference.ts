// The reference backend: the executable meaning of the ops. It runs a plan's graph node by node in making order, in plain loops, and looks
// at none of the plan's kernels, so that whatever fusion, printers and schedules do, this is what they are held to.

import type { Backend, Buffer, Executable, Run } from "../compile/contract.ts";
import type { Plan } from "../compile/plan.ts";
import { plainTarget } from "../compile/target.ts";
import type { TypedArray } from "../core/dtype.ts";
import { fixedData, graphNodes } from "../graph/hash.ts";
import type { Node } from "../graph/node.ts";
import { hostMemory } from "./memory.ts";
import { type Meaning, meaningOf } from "./reference/node.ts";

/** The backend called `reference`: class A, one thread, its memory typed arrays. */
export function referenceBackend(): Backend {
  const { arrayOf, ...memory } = hostMemory("reference");
  return {
    name: "reference",
    class: "A",
    threads: 1,
    target: plainTarget,
    ...memory,
    load: (plan) => new ReferenceExecutable(plan, arrayOf),
    dispose() {},
  };
}

/** One node, what it computes, and the nodes whose elements nothing reads after it. */
interface Step {
  readonly node: Node;
  readonly meaning: Meaning;
  readonly done: readonly Node[];
}

class ReferenceExecutable implements Executable {
  readonly plan: Plan;
  readonly scratchBytes = 0;
  readonly sources: Executable["sources"];
  readonly #steps: readonly Step[];
  readonly #fixed: readonly (readonly [Node, TypedArray])[];
  readonly #arrayOf: (buffer: Buffer) => TypedArray;

  constructor(plan: Plan, arrayOf: (buffer: Buffer) => TypedArray) {
    const { graph } = plan;
    const nodes = graphNodes(graph, { watched: true });
    this.plan = plan;
    this.sources = plan.kernels.map((_, kernel) => ({ kernel, where: "reference" }));
    this.#arrayOf = arrayOf;
    this.#fixed = nodes.flatMap((node) => {
      const data = fixedData(graph, node);
      return data ? [[node, data] as const] : [];
    });
    const computed = nodes.filter((node) => !fixedData(graph, node));
    const lastReader = new Map<Node, Node>();
    for (const node of computed) for (const input of node.inputs) lastReader.set(input, node);
    for (const { node } of [...graph.outputs, ...graph.watched]) lastReader.delete(node);
    this.#steps = computed.map((node) => ({
      node,
      meaning: meaningOf(node),
      done: [...new Set(node.inputs)].filter((input) => lastReader.get(input) === node),
    }));
  }

  /** Computes everything, then writes the outputs: no output is read as an input, also where they share a buffer. */
  run({ inputs, outputs, seed, base }: Run): void {
    const { graph } = this.plan;
    const values = new Map<Node, TypedArray>(this.#fixed);
    const bound = inputs.map((buffer) => this.#arrayOf(buffer));
    graph.inputs.forEach(({ node }, i) => {
      values.set(node, bound[i]);
    });
    for (const { node, meaning, done } of this.#steps) {
      const operands = node.inputs.map((input) => values.get(input)!);
      const { draws } = node;
      const relative = draws ? draws.offset - (draws.seed === undefined ? 0 : graph.base) : 0;
      values.set(node, meaning(operands, { seed, offset: base + relative }));
      for (const input of done) values.delete(input);
    }
    const results = [...graph.outputs, ...graph.watched].map(({ node }) => {
      const value = values.get(node)!;
      return bound.includes(value) ? value.slice() : value;
    });
    results.forEach((result, i) => {
      this.#arrayOf(outputs[i]).set(result);
    });
  }

  dispose(): void {}
}
