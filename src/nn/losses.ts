// Loss functions as a Trainer takes them: from a model's outputs and the batch to a scalar, the mean over what there is to compare.
export * from "./losses/classes.ts";
export * from "./losses/distances.ts";
export type { Loss } from "./losses/loss.ts";
