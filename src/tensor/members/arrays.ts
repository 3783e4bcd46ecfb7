// Indexing, grids, padding, diagonals, and axes cut into parts, repeated and turned.
import { joined, only, without } from "../../core/namespaces.ts";
import * as diagonal from "../../ops/diagonal.ts";
import * as grid from "../../ops/grid.ts";
import * as indexing from "../../ops/indexing.ts";
import * as pad from "../../ops/pad.ts";
import * as parts from "../../ops/parts.ts";

/** The ops whose first operand is a tensor. */
export const methods = joined(diagonal, without(grid, "linspace", "logspace", "meshgrid"), indexing, pad, parts);

/** The others. */
export const others = only(grid, "linspace", "logspace", "meshgrid");
