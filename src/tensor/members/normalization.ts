// Normalization of layers, batches, groups and instances.
import { joined } from "../../core/namespaces.ts";
import * as norm from "../../ops/norm.ts";

/** The ops whose first operand is a tensor. */
export const methods = joined(norm);
