// Fourier transforms.
import { joined } from "../../core/namespaces.ts";
import * as fft from "../../ops/fft.ts";

/** The ops whose first operand is a tensor. */
export const methods = joined(fft);
