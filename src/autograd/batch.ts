// A function of one example run on a batch: its graph is made once, on leaves that stand for one example, and made again with a first axis
// more. Each op's record says how; values that don't depend on the batch stay as they are.
import { GradError, refuse } from "../core/errors.ts";
import { bodyValues, loopAttributes, loopNodes } from "../graph/body.ts";
import { type DrawRange, Node, nextNodeId, reachable } from "../graph/node.ts";
import { reserveDraws, withBody } from "../graph/scope.ts";
import { input } from "../ops/creation.ts";
import { broadcastTo, makeNode, recordOf } from "../ops/define.ts";
import { reshape, slice, stack, swapAxes } from "../ops/movement.ts";
import { type Step, scanNodes } from "../ops/scan.ts";
import { inSegmentsOf } from "./segments.ts";

/**
 * Runs `body` on one example of each of `inputs` ([size, ...] each) and gives its results for all of them, [size, ...] each: example i's along the
 * first axis. Its draws are one range, those of each random node in it batch-major.
 */
export function batched(size: number, inputs: readonly Node[], body: (examples: Node[]) => readonly Node[]): Node[] {
  const firstId = nextNodeId();
  const examples = inputs.map(({ shape, dtype }) => input(shape.slice(1), dtype));
  const { result: outputs, draws, body: own } = withBody(() => body(examples));
  const order = reachable(outputs, ({ id }) => id < firstId);
  // A gradient may draw again what was drawn outside, for all examples: that isn't theirs.
  const isDrawn = (node: Node) => node.draws?.body === own;
  const range = draws > 0 || order.some(isDrawn) ? reserveDraws(size * draws) : undefined;
  const made = new Map<Node, Node>(examples.map((example, i) => [example, inputs[i]]));
  const whole = (node: Node) => made.get(node) ?? broadcastTo(reshape(node, [1, ...node.shape]), [size, ...node.shape]);
  const loops = loopNodes(order, (node) => recordOf(node).kind === "repeat");
  for (const node of order) {
    if (made.has(node) || !(isDrawn(node) || node.inputs.some((each) => made.has(each)))) continue;
    if (recordOf(node).kind !== "repeat") made.set(node, inSegmentsOf(onBatch(node, size, made, whole, range), node));
    // All of a loop's nodes at the first of them: they have the same inputs.
    else loopOnBatch(loops.get(loopAttributes(node).body)!, size, made, whole, isDrawn(node) ? range : undefined);
  }
  return outputs.map(whole);
}

/** Where the draws of `examples` examples are, from one of them on. */
const drawsOf = ({ draws }: Node, size: number, range: DrawRange | undefined, from = 0, examples = size) =>
  draws && {
    ...range!,
    offset: range!.offset + size * draws.offset + from * draws.count,
    count: examples * draws.count,
  };

/** The first two axes in each other's place: examples and positions. */
const turned = (x: Node) => swapAxes(x, 0, 1);

/** A loop's nodes on a batch: one loop over the same positions, whose body is run on the batch. Carries are taken to differ from example to example. Without a range what it draws, if anything, is the same for all. */
function loopOnBatch(
  nodes: readonly Node[],
  size: number,
  made: Map<Node, Node>,
  whole: (node: Node) => Node,
  range: DrawRange | undefined,
): void {
  const [first] = nodes;
  const { body, length, reverse, recompute } = loopAttributes(first);
  const [slices, fixed] = [body.carries.length, body.carries.length + body.slices];
  const differs = first.inputs.map((each, i) => i < slices || made.has(each));
  const given = first.inputs.map((each) => made.get(each) ?? each);
  const stacked = [...new Set(nodes.map(loopAttributes).flatMap(({ of, at }) => (of === "stack" ? at : [])))];
  const step = ({ carry, slices: now }: Step): Step => {
    const drawn = () => first.draws && reserveDraws(body.draws);
    const shared = range ? undefined : drawn();
    const here = [...carry, ...now, ...given.slice(fixed)];
    const found = batched(
      size,
      here.filter((_, i) => differs[i]),
      (examples) => {
        const left = [...examples];
        const leaves = here.map((each, i) => (differs[i] ? left.shift()! : each));
        const values = bodyValues(body, leaves, { made: first.made, draws: range ? drawn() : shared });
        return [...body.carries, ...stacked].map((at) => values[at]);
      },
    );
    return { carry: found.slice(0, slices), slices: found.slice(slices) };
  };
  const stacks = given.slice(slices, fixed).map((each, i) => (differs[slices + i] ? turned(each) : each));
  const loop = scanNodes(step, first.inputs.slice(0, slices).map(whole), stacks, length, {
    reverse,
    recompute,
    draws: range ? drawsOf(first, size, range) : first.draws,
  });
  for (const node of nodes) {
    const { of, at } = loopAttributes(node);
    made.set(node, of === "carry" ? loop.carry[at] : turned(loop.slices[stacked.indexOf(at)]));
  }
}

function onBatch(
  node: Node,
  size: number,
  made: ReadonlyMap<Node, Node>,
  whole: (node: Node) => Node,
  range: DrawRange | undefined,
): Node {
  const record = recordOf(node);
  const { op, dtype, attributes, ownGradient } = node;
  const shape = [size, ...node.shape];
  if (record.kind === "matmul" && node.inputs[1].shape.length === 2 && !made.has(node.inputs[1])) {
    const [rows, depth] = node.inputs[0].shape;
    const product = [size * rows, node.shape[1]];
    const left = reshape(made.get(node.inputs[0])!, [size * rows, depth]);
    return reshape(makeNode(op, [left, node.inputs[1]], product), shape);
  }
  const batch = "batch" in record ? record.batch : "none";
  const inputs = node.inputs.map((each) => {
    const missing = record.kind === "movement" && record.alignsLast ? node.shape.length - each.shape.length : 0;
    const operand = whole(each);
    return missing > 0 ? reshape(operand, [size, ...Array<number>(missing).fill(1), ...each.shape]) : operand;
  });
  const common = { op, dtype, made: node.made };
  if (batch === "each") {
    const parts = Array.from({ length: size }, (_, i) => {
      const operands = inputs.map((each) => slice(each, [i]));
      const draws = drawsOf(node, size, range, i, 1);
      return new Node({ ...common, shape: node.shape, inputs: operands, attributes, draws });
    });
    return size === 0 ? makeNode("full", [], shape, { value: 0, dtype }) : stack(parts);
  }
  if (batch === "joined") {
    const join = (each: Node) => reshape(each, [size * each.shape[1], ...each.shape.slice(2)]);
    const matrices = [size * node.shape[0], ...node.shape.slice(1)];
    return reshape(new Node({ ...common, shape: matrices, inputs: inputs.map(join), attributes }), shape);
  }
  if (batch === "none" && record.kind !== "elementwise") {
    const hint = "apply it outside of the function, to each example or to the whole batch";
    refuse(GradError, "vmap", `${op} can't be run on a batch`, node.made?.line, undefined, hint);
  }
  const more = typeof batch === "function" ? batch(attributes, size) : attributes;
  const own =
    ownGradient &&
    ((grad: Node, operands: readonly Node[], output: Node) =>
      batchedGradient(size, [grad, output, ...operands], ([one, out, ...rest]) => ownGradient(one, rest, out)));
  return new Node({ ...common, shape, inputs, attributes: more, draws: drawsOf(node, size, range), ownGradient: own });
}

/** A gradient rule on a batch: null stays null. */
function batchedGradient(
  size: number,
  inputs: readonly Node[],
  rule: (examples: Node[]) => readonly (Node | null)[],
): (Node | null)[] {
  let parts: readonly (Node | null)[] = [];
  const found = batched(size, inputs, (examples) => {
    parts = rule(examples);
    return parts.filter((part) => part !== null);
  });
  return parts.map((part) => part && found.shift()!);
}
