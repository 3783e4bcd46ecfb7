// The kinds of kernel beside the loop, a line each.
export { assemble } from "./assemble.ts";
export { prefix } from "./prefix.ts";
export { random } from "./sampler.ts";
export { scatter } from "./scatter.ts";
export { sort } from "./sort.ts";
