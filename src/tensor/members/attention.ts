// Attention.
import { joined } from "../../core/namespaces.ts";
import * as attention from "../../ops/attention.ts";

/** The ops whose first operand is a tensor. */
export const methods = joined(attention);
