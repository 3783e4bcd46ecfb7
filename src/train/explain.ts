// The graphs of a run with their plans: what `explain` shows. Traces only; the stream stays where it is.
import { lower } from "../compile/lower.ts";
import type { Plan } from "../compile/plan.ts";
import type { DataLoader, LoadedBatch } from "../data/loader.ts";
import { type Graph, graphHash } from "../graph/hash.ts";
import { inEvaluation } from "./evaluate.ts";
import { firstBatch } from "./fit.ts";
import type { Trainer } from "./trainer.ts";

/** A graph of a run, by role. */
export interface PlannedGraph {
  /** `init`, `train`, `trainLast` (the short last batch), `eval`, `evalLast`. */
  readonly role: string;
  readonly graph: Graph;
  readonly graphHash: string;
  readonly plan: Plan;
}

/** The first batch, and the last where it has another size. */
async function batchesOf(trainer: Trainer, loader: DataLoader): Promise<LoadedBatch[]> {
  const batches = [await firstBatch(trainer, loader)];
  if (loader.samplesPerEpoch < loader.batchesPerEpoch * loader.batchSize && loader.batchesPerEpoch > 1) {
    for await (const batch of loader.batches({ seed: trainer.seed, offset: 0 }, loader.batchesPerEpoch - 1))
      batches.push(batch);
  }
  return batches;
}

/** Plans every graph that a fit would run. */
export async function explain(trainer: Trainer, train: DataLoader, validation?: DataLoader): Promise<PlannedGraph[]> {
  const planned: PlannedGraph[] = [];
  await trainer.initialize();
  const { initGraph, model } = trainer;
  if (initGraph)
    planned.push({ role: "init", graph: initGraph, graphHash: graphHash(initGraph), plan: lower(initGraph) });
  const trainStep = await trainer.trainStep();
  for (const [i, { tensors }] of (await batchesOf(trainer, train)).entries()) {
    const plan = await trainStep.plan(tensors);
    planned.push({ role: i === 0 ? "train" : "trainLast", graph: plan.graph, graphHash: plan.graphHash, plan });
  }
  if (!validation) return planned;
  const evalStep = await trainer.evalStep();
  await inEvaluation(model, async () => {
    for (const [i, { tensors }] of (await batchesOf(trainer, validation)).entries()) {
      const plan = await evalStep.plan(tensors);
      planned.push({ role: i === 0 ? "eval" : "evalLast", graph: plan.graph, graphHash: plan.graphHash, plan });
    }
  });
  return planned;
}
