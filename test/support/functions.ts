// Every op as a function of nodes, by name: the members of all families.
import { joined } from "../../src/core/namespaces.ts";
import * as activations from "../../src/tensor/members/activations.ts";
import * as arrays from "../../src/tensor/members/arrays.ts";
import * as attention from "../../src/tensor/members/attention.ts";
import * as basic from "../../src/tensor/members/basic.ts";
import * as distributions from "../../src/tensor/members/distributions.ts";
import * as fft from "../../src/tensor/members/fft.ts";
import * as images from "../../src/tensor/members/images.ts";
import * as linalg from "../../src/tensor/members/linalg.ts";
import * as math from "../../src/tensor/members/math.ts";
import * as normalization from "../../src/tensor/members/normalization.ts";
import * as sorting from "../../src/tensor/members/sorting.ts";

/** All of them. */
export const functions = joined(
  basic.methods,
  basic.others,
  activations.methods,
  arrays.methods,
  arrays.others,
  attention.methods,
  distributions.others,
  fft.methods,
  images.methods,
  linalg.methods,
  linalg.others,
  math.methods,
  normalization.methods,
  sorting.methods,
);
