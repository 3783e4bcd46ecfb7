// A function of one example run on a batch: its graph is made once, on leaves that stand for one example, and made again with a first axis
// more. Each op's record says how; values that don't depend on the batch stay as they are.
import { GradError } from "../core/errors.ts";
import { type DrawRange, Node, nextNodeId, reachable } from "../graph/node.ts";
import { reserveDraws, withBody } from "../graph/scope.ts";
import { input } from "../ops/creation.ts";
import { broadcastTo, makeNode, recordOf } from "../ops/define.ts";
import { reshape, slice, stack } from "../ops/movement.ts";
import { inSegmentsOf } from "./segments.ts";

/**
 * Runs `body` on one example of each of `inputs` ([size, ...] each) and gives its results for all of them, [size, ...] each: example i's along the
 * first axis. Its draws are one range, those of each random node in it batch-major.
 */
export function batched(size: number, inputs: readonly Node[], body: (examples: Node[]) => readonly Node[]): Node[] {
  const firstId = nextNodeId();
  const examples = inputs.map(({ shape, dtype }) => input(shape.slice(1), dtype));
  const { result: outputs, draws } = withBody(() => body(examples));
  const order = reachable(outputs, ({ id }) => id < firstId);
  const isDrawn = (node: Node) => node.draws !== undefined && node.id >= firstId;
  const range = draws > 0 || order.some(isDrawn) ? reserveDraws(size * draws) : undefined;
  const made = new Map<Node, Node>(examples.map((example, i) => [example, inputs[i]]));
  const whole = (node: Node) => made.get(node) ?? broadcastTo(reshape(node, [1, ...node.shape]), [size, ...node.shape]);
  for (const node of order) {
    if (isDrawn(node) || (!made.has(node) && node.inputs.some((each) => made.has(each))))
      made.set(node, inSegmentsOf(onBatch(node, size, made, whole, range), node));
  }
  return outputs.map(whole);
}

function onBatch(
  node: Node,
  size: number,
  made: ReadonlyMap<Node, Node>,
  whole: (node: Node) => Node,
  range: DrawRange | undefined,
): Node {
  const record = recordOf(node);
  const { op, dtype, attributes, draws, ownGradient } = node;
  const shape = [size, ...node.shape];
  /** The draws of `examples` examples, from one of them on. */
  const drawn = (from: number, examples: number) =>
    draws && {
      ...range!,
      offset: range!.offset + size * draws.offset + from * draws.count,
      count: examples * draws.count,
    };
  if (record.kind === "matmul" && node.inputs[1].shape.length === 2 && !made.has(node.inputs[1])) {
    const [rows, depth] = node.inputs[0].shape;
    const product = [size * rows, node.shape[1]];
    return reshape(
      makeNode(op, [reshape(made.get(node.inputs[0])!, [size * rows, depth]), node.inputs[1]], product),
      shape,
    );
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
      return new Node({ ...common, shape: node.shape, inputs: operands, attributes, draws: drawn(i, 1) });
    });
    return size === 0 ? makeNode("full", [], shape, { value: 0, dtype }) : stack(parts);
  }
  if (batch === "none" && record.kind !== "elementwise") {
    throw new GradError({
      where: "vmap",
      problem: `${op} can't be run on a batch`,
      got: node.site,
      hint: "apply it outside of the function, to each example or to the whole batch",
    });
  }
  const more = typeof batch === "function" ? batch(attributes, size) : attributes;
  const own =
    ownGradient &&
    ((grad: Node, operands: readonly Node[], output: Node) =>
      batchedGradient(size, [grad, output, ...operands], ([one, out, ...rest]) => ownGradient(one, rest, out)));
  return new Node({ ...common, shape, inputs, attributes: more, draws: drawn(0, size), ownGradient: own });
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
