// The schedulers that a config may name: `schedulers: [{LinearLR: {…}}]`.
import { z } from "zod";
import * as optim from "../../optim/index.ts";
import type { Schedule } from "../../optim/schedulers.ts";
import { Catalog, type Choice, count, expected, list, rate } from "./values.ts";

const decayShape = { initialLearningRate: rate, endLearningRate: rate, totalIters: count };

export const schedulers: Catalog<Schedule, void, "class"> = new Catalog<Schedule, void, "class">(
  "class",
  "a scheduler: a map with one key",
)
  .add("ConstantLR", { learningRate: rate, totalIters: count.optional() }, (options) => optim.constantLR(options))
  .add("LinearLR", decayShape, (options) => optim.linearLR(options))
  .add("CosineDecayLR", decayShape, (options) => optim.cosineDecayLR(options))
  .add(
    "SequentialLR",
    {
      schedulers: list(z.lazy((): z.ZodType<Choice<"class">> => schedulers.schema)).min(
        1,
        expected("at least one scheduler"),
      ),
      milestones: list(count).optional(),
    },
    ({ schedulers: parts, milestones }) =>
      optim.sequentialLR({ schedulers: parts.map((part) => schedulers.make(part)), milestones }),
  );
