// Every public op by its name at the edges of shapes: scalars, nothing, one element, odd extents, views, ranks 0 to 6; values and gradients. All is
// made of the op's right call: other shapes in the places of its tensors, its options left out or others. What the op refuses is no case.
import { SeedgradError } from "../../../src/core/errors.ts";
import { type Shape, sizeOf } from "../../../src/core/shape.ts";
import { type Node, reachable } from "../../../src/graph/node.ts";
import { withTrace } from "../../../src/graph/scope.ts";
import * as sg from "../../../src/index.ts";
import { input } from "../../../src/ops/creation.ts";
import { allRecords } from "../../../src/ops/define.ts";
import { samplesOf } from "../../../src/ops/samples.ts";
import { mapTree } from "../../../src/tensor/tree.ts";
import { type Data, testData, testWords } from "../../support/graphs.ts";
import { calls, functionsByName, operandOf, tensorsIn } from "../../support/op-calls.ts";
import type { Computation } from "./case.ts";

const extents = [0, 1, 3, 5, 17, 1023, 1025];
/** What a tensor may be as a whole. */
const shapes: readonly Shape[] = [
  [],
  ...extents.map((extent) => [extent]),
  ...[
    [0, 3],
    [3, 0],
    [1, 1],
    [3, 5],
    [17, 3],
    [3, 1025],
    [1023, 2],
    [17, 17],
  ],
  ...[
    [2, 1, 3],
    [3, 5, 17],
    [2, 3, 1, 5],
    [1, 2, 0, 3],
    [1, 2, 5, 5],
    [1, 2, 1, 3, 2],
    [2, 1, 2, 1, 3, 2],
  ],
];
/** Axes that come before those that a call has. */
const batches: readonly Shape[] = [[3], [0], [2, 3], [1, 2, 1], [2, 1, 2, 2]];

/** How a tensor lies in memory: the shape that is stored, and what makes it of that. */
interface Layout {
  readonly stored: (shape: Shape) => Shape;
  readonly view: (x: sg.Tensor, shape: Shape) => sg.Tensor;
}
const layouts: Readonly<Record<string, Layout>> = {
  "as it is": { stored: (shape) => shape, view: (x) => x },
  transposed: { stored: (shape) => [...shape].reverse(), view: (x) => x.transpose() },
  "by steps, backwards": {
    stored: (shape) => shape.map((extent, axis) => (axis === shape.length - 1 ? 2 * extent + 1 : extent)),
    view: (x, shape) => (shape.length ? x.at("...", "1::2").flip([0]) : x),
  },
  "one row for all": {
    stored: (shape) => shape.map((extent, axis) => (axis === 0 && extent > 0 ? 1 : extent)),
    view: (x, shape) => x.broadcastTo(shape),
  },
};

/** A call before it is known whether the op takes it: arguments, and shapes in the places of its tensors. */
interface Candidate {
  readonly op: string;
  readonly args: readonly unknown[];
  readonly shapes: readonly Shape[];
  readonly layout: string;
}

/** Shapes for all of a call's tensors: each as a whole, one or two axes of another extent, an extent everywhere, more axes before. */
function shapings(right: readonly Shape[]): (readonly Shape[])[] {
  const axes = right.flatMap((shape, tensor) => shape.map((_, axis) => ({ tensor, axis })));
  const pairs = axes.flatMap((a, i) => [[a, a], ...axes.slice(i + 1).map((b) => [a, b])]);
  const first = (change: (shape: Shape) => Shape) => right.map((shape, i) => (i === 0 ? change(shape) : shape));
  return [
    right,
    ...shapes.flatMap((shape) => [right.map(() => shape), first(() => shape)]),
    ...batches.flatMap((batch) => [right.map((shape) => [...batch, ...shape]), first((shape) => [...batch, ...shape])]),
    ...extents.flatMap((extent) => [
      ...[...new Set(right.flat())].map((old) =>
        right.map((shape) => shape.map((own) => (own === old ? extent : own))),
      ),
      ...pairs.map((pair) =>
        right.map((shape, i) =>
          shape.map((own, j) => (pair.some(({ tensor, axis }) => tensor === i && axis === j) ? extent : own)),
        ),
      ),
    ]),
  ];
}

const isPlain = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype;
/** Each number that is 1 made 0: the first axis for the second, an end for what lies beside it. */
function lowered(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(lowered);
  if (isPlain(value)) return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, lowered(each)]));
  return value === 1 ? 0 : value;
}

/** Arguments of a call without tensors: other shapes and numbers, one after another. */
function numbersFor(args: readonly unknown[]): unknown[][] {
  const others = args.flatMap((own, at) => {
    const values: readonly unknown[] = Array.isArray(own) ? shapes : typeof own === "number" ? extents : [];
    return values.map((value) => args.map((each, i) => (i === at ? value : each)));
  });
  return [[...args], ...others];
}

/** Elements that a call's tensors may have together, so that the reference is done some time. */
const most = 4000;

function candidates(op: string): Candidate[] {
  const { args: make, required } = calls[op];
  const full = make();
  const forms = [full, full.slice(0, required), lowered(full) as unknown[]];
  return forms.flatMap((args): Candidate[] => {
    const right = tensorsIn(args).map(({ shape }) => shape);
    if (right.length === 0)
      return numbersFor(args).map((given) => ({ op, args: given, shapes: [], layout: "as it is" }));
    return shapings(right)
      .filter((all) => all.reduce((sum, shape) => sum + sizeOf(shape), 0) <= most)
      .flatMap((all) => Object.keys(layouts).map((layout) => ({ op, args, shapes: all, layout })));
  });
}

/** The call as one writes it, shapes in the places of tensors. */
function written({ op, args, shapes: all, layout }: Candidate): string {
  const tensors = tensorsIn(args);
  const text = (value: unknown): string => {
    if (value instanceof sg.Tensor) return `(${all[tensors.indexOf(value)]})`;
    if (Array.isArray(value)) return `[${value.map(text)}]`;
    if (isPlain(value)) return `{${Object.entries(value).map(([key, each]) => `${key}:${text(each)}`)}}`;
    return JSON.stringify(value) ?? "undefined";
  };
  return `${op} ${args.map(text).join(" ")} ${layout}`;
}

const records = new Map(allRecords().map((record) => [record.name, record]));

function dataFor({ op, args, shapes: all, layout }: Candidate): Data[] {
  const record = records.get(op);
  const range = record?.kind === "elementwise" ? samplesOf(record).range : undefined;
  // Integers are indices, but for operands of elementwise ops.
  const below = record?.kind === "elementwise" ? 2 ** 31 : Math.min(2, ...all.flat().filter((extent) => extent > 0));
  return tensorsIn(args).map(({ dtype }, i) =>
    testData(layouts[layout].stored(all[i]), dtype, dtype === "int32" ? [0, below] : range && [...range], i + 1),
  );
}

function outputsOf({ op, args, shapes: all, layout }: Candidate, nodes: readonly Node[]): sg.Tensor[] {
  const tensors = tensorsIn(args);
  const operand = operandOf[op] ?? ((x: sg.Tensor) => x);
  const given = mapTree(args, "", ({ value }) => {
    const at = tensors.indexOf(value as sg.Tensor);
    return at < 0 ? value : operand(layouts[layout].view(new sg.Tensor(nodes[at]), all[at]));
  });
  return tensorsIn(functionsByName[op](...(given as unknown[])));
}

const isFloat = ({ dtype }: { readonly dtype: string }) => dtype === "float32";

function gradientOf(candidate: Candidate, nodes: readonly Node[]): Node {
  const loss = outputsOf(candidate, nodes)
    .filter(isFloat)
    .map((each) => each.mul(each).sum())
    .reduce((a, b) => a.add(b));
  const leaves = nodes.filter(isFloat).map((node) => new sg.Tensor(node));
  return sg.concat(sg.gradients(loss, leaves).map((each) => each.reshape([each.size]))).node;
}

/** Multiplications that a case may take. */
const work = 1_000_000;

/** What a candidate computes, each result by itself and the gradient; nothing where the op refuses it, or it is too much. */
function computations(candidate: Candidate): Computation[] {
  const { args, shapes: all } = candidate;
  const inputs = dataFor(candidate);
  const sizes = tensorsIn(args).map(({ dtype }, i) => ({ dtype, size: sizeOf(all[i]) }));
  // An index into nothing is refused when it is read, not before.
  const reads = sizes.some(({ dtype, size }) => dtype === "int32" && size > 0);
  if (reads && sizes.some(({ size }) => size === 0)) return [];
  const name = written(candidate);
  try {
    return withTrace(() => {
      const leaves = inputs.map(({ shape, dtype }) => input(shape, dtype));
      const outputs = outputsOf(candidate, leaves);
      const cost = reachable(outputs.map(({ node }) => node)).reduce(
        (sum, node) => sum + sizeOf(node.shape) * (node.op === "matmul" ? (node.inputs[0].shape.at(-1) ?? 1) : 1),
        0,
      );
      if (cost > work) return [];
      const places = [...new Set([0, 1, outputs.length - 1])].filter((at) => at in outputs);
      const cases = places.map((at) => ({
        name: outputs.length === 1 ? name : `${name}, result ${at}`,
        inputs,
        build: (...nodes: Node[]) => outputsOf(candidate, nodes)[at].node,
      }));
      if (!leaves.some(isFloat) || !outputs.some(isFloat) || cost > work / 10) return cases;
      const build = (...nodes: Node[]) => gradientOf(candidate, nodes);
      build(...leaves);
      return [...cases, { name: `gradient of ${name}`, inputs, build }];
    }).result;
  } catch (error) {
    if (error instanceof SeedgradError) return [];
    throw new Error(name, { cause: error });
  }
}

/** The cases of an op, from every call or one in `every`; with `count` so many or a few more, from calls picked here and there. */
export function edgeCases(op: string, { every = 1, count = Infinity } = {}): Computation[] {
  const cases = new Map<string, Computation>();
  const left = candidates(op).filter((_, i) => i % every === 0);
  const next = testWords(op.length + op.charCodeAt(0));
  const picked =
    count === Infinity
      ? left
      : (function* () {
          while (left.length > 0) yield left.splice(next() % left.length, 1)[0];
        })();
  for (const candidate of picked) {
    if (cases.size >= count) break;
    for (const each of computations(candidate)) cases.set(each.name, each);
  }
  return [...cases.values()];
}
