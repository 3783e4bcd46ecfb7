// Every op as a function of nodes, by name: the members of all families.
import { joined } from "../core/namespaces.ts";
import * as activations from "./members/activations.ts";
import * as arrays from "./members/arrays.ts";
import * as attention from "./members/attention.ts";
import * as basic from "./members/basic.ts";
import * as distributions from "./members/distributions.ts";
import * as fft from "./members/fft.ts";
import * as images from "./members/images.ts";
import * as linalg from "./members/linalg.ts";
import * as math from "./members/math.ts";
import * as normalization from "./members/normalization.ts";
import * as sorting from "./members/sorting.ts";

/** All of them. */
export const functions = joined(
  basic.functions,
  activations.functions,
  arrays.functions,
  attention.functions,
  distributions.functions,
  fft.functions,
  images.functions,
  linalg.functions,
  math.functions,
  normalization.functions,
  sorting.functions,
);
