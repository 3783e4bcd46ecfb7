// Windows of images and sequences: convolution, pooling, unfolding, resampling.
import { joined, only, without } from "../../core/namespaces.ts";
import * as conv from "../../ops/conv.ts";
import * as gridSample from "../../ops/grid-sample.ts";
import * as interpolate from "../../ops/interpolate.ts";
import * as pool from "../../ops/pool.ts";
import * as unfold from "../../ops/unfold.ts";

const resampling = without(interpolate, "checkInterpolation", "interpolateKinds");
/** The ops whose first operand is a tensor. */
export const methods = joined(conv, gridSample, resampling, pool, only(unfold, "unfold"));
