// The reference backend: the executable meaning of the ops. It runs a plan's graph node by node in making order, in plain loops, and looks
// at none of the plan's kernels, so that whatever fusion, printers and schedules do, this is what they are held to.

import type { Backend, Buffer, Executable, Run } from "../compile/contract.ts";
import type { Plan } from "../compile/plan.ts";
import { plainTarget } from "../compile/target.ts";
import type { TypedArray } from "../core/dtype.ts";
import { loopAttributes, loopNodes } from "../graph/body.ts";
import { firstDraw, fixedData, graphNodes } from "../graph/graph.ts";
import type { Node } from "../graph/node.ts";
import { recordOf } from "../ops/define.ts";
import { hostMemory } from "./memory.ts";
import { loopMeaning } from "./reference/loop.ts";
import type { Meaning } from "./reference/meaning.ts";
import { meaningOf } from "./reference/node.ts";

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

/** One node, or all of one loop, what it computes, and the nodes whose elements nothing reads after it. */
interface Step {
  readonly nodes: readonly Node[];
  readonly meaning: (...given: Parameters<Meaning>) => readonly TypedArray[];
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
    const isLoop = (node: Node) => recordOf(node).kind === "repeat";
    const loops = loopNodes(computed, isLoop);
    const steps = computed.flatMap((node): Omit<Step, "done">[] => {
      if (!isLoop(node)) {
        const meaning = meaningOf(node);
        return [{ nodes: [node], meaning: (...given) => [meaning(...given)] }];
      }
      const nodes = loops.get(loopAttributes(node).body)!;
      return nodes[0] === node ? [{ nodes, meaning: loopMeaning(nodes, meaningOf) }] : [];
    });
    const lastReader = new Map<Node, Omit<Step, "done">>();
    for (const step of steps) for (const input of step.nodes[0].inputs) lastReader.set(input, step);
    for (const { node } of [...graph.outputs, ...graph.watched]) lastReader.delete(node);
    this.#steps = steps.map((step) => ({
      ...step,
      done: [...new Set(step.nodes[0].inputs)].filter((input) => lastReader.get(input) === step),
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
    for (const { nodes, meaning, done } of this.#steps) {
      const operands = nodes[0].inputs.map((input) => values.get(input)!);
      const results = meaning(operands, { seed, offset: base + firstDraw(nodes[0], graph.base) });
      nodes.forEach((node, i) => {
        values.set(node, results[i]);
      });
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
