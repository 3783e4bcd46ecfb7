// Activations of neural networks beside relu, tanh, sigmoid and softplus.
import { joined } from "../../core/namespaces.ts";
import * as activations from "../../ops/activations.ts";

/** The ops whose first operand is a tensor. */
export const methods = joined(activations);
