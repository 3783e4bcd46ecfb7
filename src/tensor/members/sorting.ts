// Sorting and what is made of it, cumulative sums and extremes, histograms.
import { joined } from "../../core/namespaces.ts";
import * as cumulative from "../../ops/cumulative.ts";
import * as extremes from "../../ops/extremes.ts";
import * as histogram from "../../ops/histogram.ts";
import * as sort from "../../ops/sort.ts";

/** The ops whose first operand is a tensor. */
export const methods = joined(cumulative, extremes, histogram, sort);
