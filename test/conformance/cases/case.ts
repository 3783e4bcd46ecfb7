// What a conformance case is, and what the case files share.
import type { DType } from "../../../src/core/dtype.ts";
import type { Shape } from "../../../src/core/shape.ts";
import type { Attributes, Node } from "../../../src/graph/node.ts";
import type { OpRecord } from "../../../src/ops/record.ts";
import { type Data, testData } from "../../support/graphs.ts";

/** One computation: inputs bound when run, and a node made from them. */
export interface Case extends Computation {
  /** What kind of cases it stands with. */
  readonly group: string;
}

/** A case before it stands with others. */
export interface Computation {
  readonly name: string;
  readonly inputs: readonly Data[];
  readonly build: (...inputs: Node[]) => Node;
}

/** All there are. */
export const dtypes: readonly DType[] = ["float32", "int32", "uint32", "bool"];
/** Plain floats. */
export const floats = (shape: Shape, seed = 1) => testData(shape, "float32", [-4, 4], seed);

/** All lists of `count` out of `choices`. */
export function tuples<T>(choices: readonly T[], count: number): T[][] {
  return count === 0 ? [[]] : tuples(choices, count - 1).flatMap((rest) => choices.map((choice) => [...rest, choice]));
}

/** The dtypes an op takes, by its own rule. */
export function acceptedDTypes(record: OpRecord, inputs: number, attributes: Attributes = {}): DType[][] {
  return tuples(dtypes, inputs).filter((combination) => {
    try {
      record.dtype(combination, attributes, record.name);
      return true;
    } catch {
      return false;
    }
  });
}

/** A number by which −0 can be told. */
export const show = (x: number) => (Object.is(x, -0) ? "-0" : String(x));
