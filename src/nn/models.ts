// The models that a config may name.
export { cnn } from "./cnn.ts";
export { gpt } from "./gpt.ts";
export { mlp } from "./mlp.ts";
