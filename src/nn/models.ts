// The models that a config may name.
export { cnn } from "./cnn.ts";
export { gpt } from "./gpt.ts";
export { heatPinn } from "./heat-pinn.ts";
export { lstmLanguageModel } from "./lstm-language-model.ts";
export { mlp } from "./mlp.ts";
export { vae } from "./vae.ts";
export { vit } from "./vit.ts";
