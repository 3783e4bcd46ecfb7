// Random numbers of other distributions than the uniform and the normal one, and random choices.
import { joined } from "../../core/namespaces.ts";
import * as distributions from "../../ops/distributions.ts";

/** None takes a tensor first as a method would. */
export const others = joined(distributions);
