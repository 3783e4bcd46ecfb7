// The ops of all families as functions of tensors, and all of them as methods.

import { joined } from "../core/namespaces.ts";
import * as activations from "./families/activations.ts";
import * as arrays from "./families/arrays.ts";
import * as attention from "./families/attention.ts";
import * as basic from "./families/basic.ts";
import * as distributions from "./families/distributions.ts";
import * as fft from "./families/fft.ts";
import * as images from "./families/images.ts";
import * as linalg from "./families/linalg.ts";
import * as math from "./families/math.ts";
import * as normalization from "./families/normalization.ts";
import * as sorting from "./families/sorting.ts";
import { refuseRenamed } from "./renamed.ts";

export * from "./creation.ts";
export * from "./families/activations.ts";
export * from "./families/arrays.ts";
export * from "./families/attention.ts";
export * from "./families/basic.ts";
export * from "./families/distributions.ts";
export * from "./families/fft.ts";
export * from "./families/images.ts";
export * from "./families/linalg.ts";
export * from "./families/math.ts";
export * from "./families/normalization.ts";
export * from "./families/sorting.ts";

refuseRenamed();

/** Every op as a function of tensors, by name. */
export const ops = joined(
  activations.ops,
  arrays.ops,
  attention.ops,
  basic.ops,
  distributions.ops,
  fft.ops,
  images.ops,
  linalg.ops,
  math.ops,
  normalization.ops,
  sorting.ops,
);
