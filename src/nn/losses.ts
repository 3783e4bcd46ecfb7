// Loss functions as a Trainer takes them: from a model's outputs and the batch to a scalar, the mean over what there is to compare unless told otherwise.
export * from "./losses/basic.ts";
export * from "./losses/classes.ts";
export * from "./losses/ctc.ts";
export * from "./losses/embeddings.ts";
export * from "./losses/likelihoods.ts";
