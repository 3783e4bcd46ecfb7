// What the basic family's ops say their elements in. A record is given it and imports none of it: a page has its ops at first, and this with the compiler.
import * as e from "../../kernels/expr.ts";
import { erf } from "../../kernels/math/erf.ts";
import { exp } from "../../kernels/math/exp.ts";
import { expm1 } from "../../kernels/math/expm1.ts";
import { maximum, minimum } from "../../kernels/math/index.ts";
import { floorDivide, toWord } from "../../kernels/math/integer.ts";
import { log } from "../../kernels/math/log.ts";
import { log1p } from "../../kernels/math/log1p.ts";
import { rsqrt } from "../../kernels/math/root.ts";
import { ceil, round, trunc } from "../../kernels/math/round.ts";
import { sigmoid } from "../../kernels/math/sigmoid.ts";
import { softplus } from "../../kernels/math/softplus.ts";
import { tanh } from "../../kernels/math/tanh.ts";
import { cos, sin } from "../../kernels/math/trig.ts";
import { below, normal, uniform, uniformBetween } from "../../kernels/random.ts";
import { broadcastView, reshapeView, sliceView, transposeView } from "../../kernels/view.ts";

export const terms = {
  /** Scalar expressions. */
  e,
  /** Elementary functions. */
  math: {
    ceil,
    cos,
    erf,
    exp,
    expm1,
    floorDivide,
    log,
    log1p,
    maximum,
    minimum,
    round,
    rsqrt,
    sigmoid,
    sin,
    softplus,
    tanh,
    toWord,
    trunc,
  },
  /** What is made of a word of the stream. */
  random: { below, normal, uniform, uniformBetween },
  /** Elements in other places. */
  views: { broadcastView, reshapeView, sliceView, transposeView },
} as const;

export type Terms = typeof terms;
