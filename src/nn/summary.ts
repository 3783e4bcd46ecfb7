// A model's table: what its modules give, how many numbers they hold, and what a forward pass costs. Found by tracing it: nothing is run or drawn.
import { specialKinds } from "../../kernels/kinds.ts";
import * as special from "../../kernels/special.ts";
import { planCost } from "../compile/cost.ts";
import { loopFusion } from "../compile/fuse.ts";
import { lower } from "../compile/lower.ts";
import * as repeat from "../compile/repeat.ts";
import { checkArguments, either, shape as shapeKind, signature } from "../core/arguments.ts";
import { formatShape, type Shape, sizeOf } from "../core/shape.ts";
import { alignedLines } from "../core/table.ts";
import { type Node, reachable } from "../graph/node.ts";
import { listState, traceFunction } from "../program/trace.ts";
import { Parameter } from "../program/variable.ts";
import { tensor as tensorKind } from "../tensor/arguments.ts";
import { zeros } from "../tensor/creation.ts";
import { Tensor } from "../tensor/tensor.ts";
import { batch as batchKind, module as moduleKind } from "./check.ts";
import type { Batch, Module } from "./module.ts";
import { aroundForward, type ModuleCall, namingModules, telling } from "./naming.ts";

// A summary can't wait.
loopFusion.give(repeat);
specialKinds.give(special);

const arrived = signature("nn.summary", {
  model: moduleKind,
  inputs: either(tensorKind, shapeKind),
  "batch?": batchKind,
});

/** float32 arithmetic of the nodes that a call made. */
function flopsOf({ outputs, nodes: [from, to] }: ModuleCall): number {
  const isOutside = (node: Node) => node.id < from || node.id >= to;
  const named = outputs.map(({ node }, i) => ({ name: String(i), node })).filter(({ node }) => !isOutside(node));
  const roots = named.map(({ node }) => node);
  const found = reachable(roots, isOutside);
  const inputs = found.filter(isOutside).map((node, i) => ({ name: String(i), node }));
  const graph = { seed: 0n, inputs, outputs: named, watched: [], state: [], draws: 0, base: 0 };
  return planCost(lower(graph, { fuse: false })).flops;
}

const own = (module: Module) => Object.values(module).filter((value): value is Parameter => value instanceof Parameter);
const sizesOf = (parameters: readonly Parameter[]) => parameters.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
const grouped = (x: number) => String(x).replace(/\B(?=(\d{3})+$)/g, ",");

/**
 * A table as of torchinfo or Keras: each module once for each call, in order, with what it gives, its own parameters and the FLOPs of a forward pass in it and
 * its children (+ − × ÷ √, a multiply-add being two), and totals: of parameters trained and frozen, a shared one counting once. `inputs`: a float32 shape, batch
 * first, or a tensor of another dtype. Nothing is run, drawn or assigned. `console.log(nn.summary(model, [1, 784]))`.
 */
export function summary(model: Module, inputs: Shape | Tensor, batch: Batch = {}): string {
  checkArguments(arrived, arguments);
  const calls: ModuleCall[] = [];
  const around = telling((call) => calls.push(call));
  const example = inputs instanceof Tensor ? inputs : zeros(inputs);
  const forward = (x: Tensor, beside: Batch) => {
    namingModules(model, () => aroundForward(model, around, () => model.forward(x, beside)));
    return null;
  };
  traceFunction(forward, [example, batch] as const, listState([model]), 0n);
  return summaryOf(model, calls, { isTrained: ({ requiresGrad }) => requiresGrad });
}

/** The table of calls, in the order in which they began. `depth`: how deep into the tree of modules; the last that are shown have their children's parameters too. */
export function summaryOf(
  model: Module,
  calls: readonly ModuleCall[],
  { isTrained, depth = Number.POSITIVE_INFINITY }: { isTrained: (parameter: Parameter) => boolean; depth?: number },
): string {
  const seen = new Set<Parameter>();
  const levelOf = (path: string) => (path === "model" ? 0 : path.split(".").length);
  const shown = calls.filter(({ path }) => levelOf(path) <= depth).sort((a, b) => a.begun - b.begun);
  const rows = shown.map((call) => {
    const { path, module, outputs } = call;
    const level = levelOf(path);
    const parameters = level < depth ? own(module) : module.parameters();
    const isAgain = parameters.length > 0 && parameters.every((each) => seen.has(each));
    for (const each of parameters) seen.add(each);
    return [
      `${"  ".repeat(level)}${path.split(".").at(-1)}`,
      module.constructor.name,
      outputs.map(({ shape }) => formatShape(shape)).join(" "),
      isAgain ? "(again)" : grouped(sizesOf(parameters)),
      grouped(flopsOf(call)),
    ];
  });
  const parameters = model.namedParameters().map(([, parameter]) => parameter);
  const buffers = model.namedVariables().filter(([name]) => name.startsWith("buffer/"));
  const [total, trained] = [parameters, parameters.filter(isTrained)].map(sizesOf);
  const [head, ...lines] = alignedLines([["layer", "class", "output", "parameters", "FLOPs"], ...rows], 2);
  return [
    ...[head, "─".repeat(head.length), ...lines],
    `parameters: ${grouped(total)} (${grouped(4 * total)} bytes), ${grouped(trained)} trained, ${grouped(total - trained)} frozen`,
    `buffers: ${grouped(buffers.reduce((sum, [, { size }]) => sum + size, 0))} numbers`,
    `FLOPs of a forward pass: ${rows.length > 0 ? rows[0][4] : 0}`,
  ].join("\n");
}
