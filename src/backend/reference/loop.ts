// A loop over positions: the body's nodes, each as it is by itself, position after position.
import { makeArray, type TypedArray } from "../../core/dtype.ts";
import { sizeOf } from "../../core/shape.ts";
import { loopAttributes, loopOf } from "../../graph/body.ts";
import type { Node } from "../../graph/node.ts";
import type { Draws, Meaning } from "./meaning.ts";

/** What several outputs of one loop are computed by: their elements, in order, from the loop's inputs' elements. */
export function loopMeaning(
  outputs: readonly Node[],
  meaningOf: (node: Node) => Meaning,
): (operands: readonly TypedArray[], draws: Draws) => TypedArray[] {
  const { attributes, values, leaves, next } = loopOf(outputs[0]);
  const { body, length, reverse } = attributes;
  const numbers = new Map(values.map((value, number) => [value, number]));
  const steps = values.slice(leaves.length).map((node, i) => ({
    meaning: meaningOf(node),
    number: leaves.length + i,
    inputs: node.inputs.map((each) => numbers.get(each)!),
    first: node.draws ? body.nodes[i][5]![0] : 0,
  }));
  const firstFixed = next.length + body.slices;
  return (operands, { seed, offset }) => {
    let carry = operands.slice(0, next.length);
    const results = outputs.map(({ dtype, shape }) => makeArray(dtype, sizeOf(shape)));
    for (let turn = 0; turn < length; turn++) {
      const position = reverse ? length - 1 - turn : turn;
      const arrays = leaves.map(({ shape }, i) => {
        if (i < next.length) return carry[i];
        const size = sizeOf(shape);
        return i < firstFixed ? operands[i].subarray(position * size, (position + 1) * size) : operands[i];
      });
      for (const { meaning, inputs, first } of steps) {
        const from = offset + position * body.draws + first;
        arrays.push(
          meaning(
            inputs.map((each) => arrays[each]),
            { seed, offset: from },
          ),
        );
      }
      outputs.forEach((node, i) => {
        const { of, at } = loopAttributes(node);
        if (of === "stack") results[i].set(arrays[at], position * arrays[at].length);
      });
      carry = next.map((node) => arrays[numbers.get(node)!]);
    }
    return outputs.map((node, i) => {
      const { of, at } = loopAttributes(node);
      return of === "carry" ? carry[at].slice() : results[i];
    });
  };
}
