// Random numbers of other distributions than the uniform and the normal one, and random choices.
import { joined } from "../../core/namespaces.ts";
import * as choices from "../../ops/choices.ts";
import * as distributions from "../../ops/distributions.ts";

/** None takes a tensor first as a method would. */
export const functions = joined(choices, distributions);
