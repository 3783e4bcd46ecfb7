// What every program has: arithmetic, comparisons, activations, reductions, products of matrices, movement, gathering, tensors of given and of random numbers.
import { joined, only, without } from "../../core/namespaces.ts";
import * as arithmetic from "../../ops/arithmetic.ts";
import * as axes from "../../ops/axes.ts";
import * as compare from "../../ops/compare.ts";
import * as composite from "../../ops/composite.ts";
import * as creation from "../../ops/creation.ts";
import type * as define from "../../ops/define.ts";
import { broadcastTo, full } from "../../ops/define.ts";
import * as elementwise from "../../ops/elementwise.ts";
import * as gather from "../../ops/gather.ts";
import * as matmul from "../../ops/matmul.ts";
import * as movement from "../../ops/movement.ts";
import * as precision from "../../ops/precision.ts";
import * as random from "../../ops/random.ts";
import * as reduce from "../../ops/reduce.ts";

// Two of what ops are defined with, alone: its namespace would bring all its names into a page.
const stretching: Pick<typeof define, "broadcastTo"> = { broadcastTo };
const filling: Pick<typeof define, "full"> = { full };

/** The ops whose first operand is a tensor. */
export const methods = joined(
  arithmetic,
  axes,
  compare,
  composite,
  stretching,
  without(elementwise, "where"),
  without(gather, "checkScatter"),
  matmul,
  without(movement, "concat", "stack"),
  only(precision, "roundTo"),
  reduce,
);

/** The others. */
export const others = joined(
  without(creation, "input", "variable", "constant", "fromValues"),
  filling,
  only(elementwise, "where"),
  only(movement, "concat", "stack"),
  without(random, "checkProbability", "ofWord", "words", "wordSamples"),
);
