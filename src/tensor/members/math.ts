// Further elementary functions, powers, products over axes, and the bits of integers.
import { joined } from "../../core/namespaces.ts";
import * as bits from "../../ops/bits.ts";
import * as power from "../../ops/power.ts";
import * as product from "../../ops/product.ts";
import * as transcendental from "../../ops/transcendental.ts";

/** The ops whose first operand is a tensor. */
export const methods = joined(bits, power, product, transcendental);
