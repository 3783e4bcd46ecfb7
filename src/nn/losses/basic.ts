// Losses of small models, which need no family of ops beside the basic one.
export * from "./binary.ts";
export { type CrossEntropyOptions, crossEntropy, type NllOptions, nll } from "./cross-entropy.ts";
export * from "./distances.ts";
export type { Loss } from "./loss.ts";
