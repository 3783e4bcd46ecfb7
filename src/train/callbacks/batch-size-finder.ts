// Which batch size a machine can hold, and which is fastest on it: from the step's plans, and a few steps on a copy of the weights.

import { findCompiled } from "../../compile/cache.ts";
import { portBytes } from "../../compile/cost.ts";
import { configured } from "../../core/configured.ts";
import { importing } from "../../core/lazy.ts";
import { countOf, countUpTo, type Given, options, repeats } from "../../core/options.ts";
import { batchBytes, firstGroup, microBatches, resized } from "../../data/groups.ts";
import { watchOffset } from "../../rng/regions.ts";
import { now } from "../../runtime/clock.ts";
import { schedulePlan } from "../../schedule/schedule.ts";
import type { Callback, FitContext } from "../contract.ts";
import { memoryOf } from "../memory.ts";
import { withStateRestored } from "./snapshot.ts";

const record = options("BatchSizeFinder", {
  /** Memory that a step may take, in MiB, at most 65536. */
  memory: countUpTo("MiB", 2 ** 16, "more memory than a step can take", {
    got: (value) => `${value} MiB`,
    expected: "at most 65536 MiB, 64 GiB",
  }).default(2048),
  /** No batch larger than this; the data's samples unless given. */
  maximum: countOf("samples").optional(),
  /** Steps that are timed for each size, at most 65536. */
  steps: repeats("a step of training for every batch size, before the first").default(3),
});
export type BatchSizeFinderOptions = Given<typeof record>;

/** One batch size that was tried. */
export interface TriedBatchSize {
  readonly batchSize: number;
  /** Of a step: arena, inputs and outputs. */
  readonly bytes: number;
  /** The best of the steps timed. */
  readonly samplesPerSecond: number;
}

/** Before the first step, tries batch sizes 1, 2, 4 … and tells memory and samples a second of each. The run itself keeps its own batch size, and its bits. */
export class BatchSizeFinder extends configured(record) implements Callback {
  readonly changesTraining = false;
  #tried: TriedBatchSize[] = [];

  /** What was tried, smallest first. */
  get tried(): readonly TriedBatchSize[] {
    return this.#tried;
  }

  async onTrainStart(context: FitContext): Promise<void> {
    const { trainer } = context;
    if (trainer.step > 0) return;
    this.#tried = await withStateRestored(trainer, () => this.#try(context));
    const best = this.#tried.reduce((a, b) => (b.samplesPerSecond > a.samplesPerSecond ? b : a), this.#tried[0]);
    const lines = this.#tried.map(
      ({ batchSize, bytes, samplesPerSecond }) =>
        `  ${batchSize}: ${(bytes / 2 ** 20).toFixed(1)} MiB, ${Math.round(samplesPerSecond)} samples/s`,
    );
    trainer.message(
      "info",
      best ? `batch sizes:\n${lines.join("\n")}\nfastest: ${best.batchSize}` : "batch sizes: none fits",
    );
  }

  async #try({ trainer, loader }: FitContext): Promise<TriedBatchSize[]> {
    const { memory, steps, maximum = loader.samplesPerEpoch } = this.options;
    const perStep = trainer.options.loop.gradAccumSteps;
    const step = await trainer.trainStep();
    const backend = await trainer.backend();
    const [{ tensors }] = (await firstGroup(trainer.seed, loader, 1)).batches;
    const limit = Math.min(memory * 2 ** 20, memoryOf(backend));
    const tried: TriedBatchSize[] = [];
    for (let batchSize = 1; batchSize <= maximum; batchSize *= 2) {
      if (perStep * batchBytes(tensors, batchSize) > limit) break;
      const batch = resized(tensors, batchSize);
      const all = <T>(value: T): T[] => Array.from({ length: perStep }, () => value);
      const input = perStep === 1 ? batch : microBatches(this.name, all(batch), all(batchSize));
      const plan = await step.plan(input);
      const bytes =
        portBytes(plan) +
        (await importing(() => schedulePlan(plan, backend.target))).arenaBytes +
        (findCompiled(backend, plan.key)?.scratchBytes ?? 0);
      if (bytes > limit) break;
      let seconds = Number.POSITIVE_INFINITY;
      for (let i = 0; i < steps; i++) {
        const start = now();
        const { result, watched } = await step.execute([input], { base: watchOffset });
        await result.data();
        seconds = Math.min(seconds, now() - start);
        for (const tensor of [result, ...Object.values(watched)]) tensor.dispose();
      }
      tried.push({ batchSize, bytes, samplesPerSecond: (batchSize * perStep) / seconds });
    }
    return tried;
  }
}
