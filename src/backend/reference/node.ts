// What one node computes, by the kind of its op's record: the meaning itself, an array in and an array out, with nothing fused or planned.
import { input as inputExpr } from "../../../kernels/expr.ts";
import { kindOf, type SpecialKernel, specialKinds } from "../../../kernels/kinds.ts";
import * as special from "../../../kernels/special.ts";
import { contiguousView } from "../../../kernels/view.ts";
import { makeArray, type TypedArray } from "../../core/dtype.ts";
import { BackendError, refuse } from "../../core/errors.ts";
import { sizeOf } from "../../core/shape.ts";
import type { Node } from "../../graph/node.ts";
import { recordOf } from "../../ops/define.ts";
import { terms } from "../../ops/terms.ts";
import { fillWords } from "../../rng/draws.ts";
import { evaluator } from "./expression.ts";
import { gatherAlong } from "./indexed.ts";
import { loopMeaning } from "./loop.ts";
import { multiply } from "./matmul.ts";
import type { Meaning } from "./meaning.ts";
import { copyThrough, movesNothing } from "./movement.ts";
import { reducer } from "./reduce.ts";

// A meaning is asked for at once, by who may have lowered nothing.
specialKinds.give(special);

/** The meaning of a node that isn't a leaf. Throws BackendError for a leaf: nothing computes it. */
export function meaningOf(node: Node): Meaning {
  const record = recordOf(node);
  const { attributes, dtype, shape } = node;
  const size = sizeOf(shape);
  const make = () => makeArray(dtype, size);
  switch (record.kind) {
    case "full":
      return () => make().fill(Number(attributes.value));
    case "coordinate": {
      const axis = attributes.axis as number;
      const inner = sizeOf(shape.slice(axis + 1));
      return () => make().map((_: number, i: number) => Math.floor(i / inner) % shape[axis]) as TypedArray;
    }
    case "elementwise": {
      const body = record.value(
        node.inputs.map((operand, i) => inputExpr(i, operand.dtype)),
        terms,
        attributes,
      );
      const evaluate = evaluator(body, size);
      return (operands) => {
        const out = make();
        evaluate(operands, out);
        return out;
      };
    }
    case "movement": {
      const view = record.view(contiguousView(node.inputs[0].shape), terms, shape, attributes);
      if (!view) throw new BackendError({ where: node.op, problem: "a contiguous array has no such view" });
      if (movesNothing(view, sizeOf(node.inputs[0].shape))) return ([x]) => x;
      const fill = Number(record.fill?.(attributes) ?? 0);
      return ([x]) => {
        const out = make();
        copyThrough(view, x, fill, out);
        return out;
      };
    }
    case "reduce": {
      const reduce = reducer(record.combine, node.inputs[0].shape, attributes.axes as readonly number[], dtype);
      return ([x]) => {
        const out = make();
        reduce(x, out);
        return out;
      };
    }
    case "matmul": {
      const [rows, depth] = node.inputs[0].shape.slice(-2);
      const sizes = { batch: sizeOf(shape.slice(0, -2)), rows, depth, columns: shape[shape.length - 1] };
      return ([a, b]) => {
        const out = make();
        multiply(a, b, out, sizes);
        return out;
      };
    }
    case "gather": {
      const axis = attributes.axis as number;
      const [{ shape: from }, { shape: extents }] = node.inputs;
      const along = { axis, extent: from[axis], shape: extents };
      return ([x, indices]) => {
        const out = make();
        gatherAlong(along, x, indices, out);
        return out;
      };
    }
    case "special": {
      const given = node.inputs.map((operand, source) => {
        return { source, dtype: operand.dtype, view: contiguousView(operand.shape) };
      });
      const own = record.kernel(node, given, 0);
      const kernel = { kind: record.of, output: -1, dtype, shape, inputs: given, ...own } as SpecialKernel;
      const compute = kindOf(kernel).compute(kernel);
      return (operands, { seed, offset }) => {
        const out = make();
        const inputs = kernel.inputs.map(({ source }) => operands[source as number]);
        compute(inputs, out, { seed, base: offset });
        return out;
      };
    }
    case "words":
      return (_, { seed, offset }) => {
        const out = new Uint32Array(size);
        fillWords(seed, offset, out);
        return out;
      };
    case "repeat": {
      const loop = loopMeaning([node], meaningOf);
      return (operands, draws) => loop(operands, draws)[0];
    }
    case "leaf": {
      const problem = "a leaf that the graph binds to nothing";
      refuse(BackendError, node.op, problem, node.made?.line, "one of its inputs, a constant or a captured value");
    }
  }
}
