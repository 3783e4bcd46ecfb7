// Which ops are public, as methods of a tensor and as functions. A new op in one of these files is there by itself.
import { joined, only, without } from "../core/namespaces.ts";
import * as activations from "../ops/activations.ts";
import * as arithmetic from "../ops/arithmetic.ts";
import * as attention from "../ops/attention.ts";
import * as axes from "../ops/axes.ts";
import * as bits from "../ops/bits.ts";
import * as choices from "../ops/choices.ts";
import * as compare from "../ops/compare.ts";
import * as composite from "../ops/composite.ts";
import * as contraction from "../ops/contraction.ts";
import * as conv from "../ops/conv.ts";
import * as creation from "../ops/creation.ts";
import * as cumulative from "../ops/cumulative.ts";
import * as define from "../ops/define.ts";
import * as diagonals from "../ops/diagonal.ts";
import * as distributions from "../ops/distributions.ts";
import * as einsumOps from "../ops/einsum.ts";
import * as elementwise from "../ops/elementwise.ts";
import * as extremes from "../ops/extremes.ts";
import * as fftOps from "../ops/fft.ts";
import * as gatherOps from "../ops/gather.ts";
import * as grid from "../ops/grid.ts";
import * as histogramOps from "../ops/histogram.ts";
import * as im2colOps from "../ops/im2col.ts";
import * as indexing from "../ops/indexing.ts";
import * as interpolateOps from "../ops/interpolate.ts";
import * as jacobi from "../ops/jacobi.ts";
import * as luOps from "../ops/lu.ts";
import * as matmulOps from "../ops/matmul.ts";
import * as movement from "../ops/movement.ts";
import * as normOps from "../ops/norm.ts";
import * as padding from "../ops/pad.ts";
import * as pool from "../ops/pool.ts";
import * as power from "../ops/power.ts";
import * as precision from "../ops/precision.ts";
import * as qrOps from "../ops/qr.ts";
import * as randomOps from "../ops/random.ts";
import * as reduce from "../ops/reduce.ts";
import * as sortOps from "../ops/sort.ts";
import * as transcendental from "../ops/transcendental.ts";
import * as triangular from "../ops/triangular.ts";
import * as unfoldOps from "../ops/unfold.ts";

/** The ops whose first operand is a tensor. */
export const methods = joined(
  activations,
  arithmetic,
  bits,
  axes,
  attention,
  compare,
  composite,
  contraction,
  conv,
  cumulative,
  diagonals,
  im2colOps,
  without(interpolateOps, "checkInterpolation", "interpolateKinds"),
  pool,
  without(elementwise, "where"),
  extremes,
  fftOps,
  without(gatherOps, "checkScatter"),
  histogramOps,
  indexing,
  without(grid, "linspace", "logspace", "meshgrid"),
  jacobi,
  luOps,
  matmulOps,
  without(movement, "concat", "stack"),
  padding,
  power,
  normOps,
  only(qrOps, "qr", "lstsq"),
  reduce,
  sortOps,
  transcendental,
  only(triangular, "cholesky", "triangularSolve"),
  unfoldOps,
  only(define, "broadcastTo"),
  only(precision, "roundTo"),
);

/** All of them. */
export const functions = joined(
  methods,
  without(creation, "input", "variable", "constant", "fromValues"),
  choices,
  distributions,
  einsumOps,
  without(randomOps, "checkProbability", "keepMask", "fromWords", "words", "wordSamples"),
  only(elementwise, "where"),
  only(grid, "linspace", "logspace", "meshgrid"),
  only(movement, "concat", "stack"),
  only(define, "full"),
);
