// The graphs of a run with their plans: what `explain` shows. Traces only; the stream stays where it is.
import { lower } from "../compile/lower.ts";
import type { Plan } from "../compile/plan.ts";
import { epochDraws } from "../data/draws.ts";
import { firstGroup, type Group, groups, samplesOf } from "../data/groups.ts";
import type { DataLoader, LoadedBatch } from "../data/loader.ts";
import { byName } from "../data/named.ts";
import { inEvaluation } from "../nn/evaluation.ts";
import type { PlannedGraph } from "../report/graph.ts";
import { type LedgerRow, runLedger } from "../run/ledger.ts";
import { schedulePlan } from "../schedule/schedule.ts";
import type { TrainerView } from "./contract.ts";
import { noBatches } from "./evaluate.ts";
import { lengthOf } from "./length.ts";
import type { Session } from "./session.ts";
import { trainPlans } from "./step.ts";

/** The first group of batches, and the last where it has another size. */
async function groupsOf({ seed }: TrainerView, loader: DataLoader, size: number): Promise<Group[]> {
  const { samplesPerEpoch, batchesPerEpoch, batchSize } = loader;
  const found = [await firstGroup(seed, loader, size)];
  const last = (Math.ceil(batchesPerEpoch / size) - 1) * size;
  if (last > 0 && samplesPerEpoch < (last + size) * batchSize)
    for await (const group of groups(loader, epochDraws(loader, seed, 0), size, last)) found.push(group);
  return found;
}

/** The first batch of a validation, and the last where it has another size: a validation sees every sample. */
async function validationBatches({ seed }: TrainerView, loader: DataLoader): Promise<LoadedBatch[]> {
  const draws = epochDraws(loader, seed, 0);
  const found: LoadedBatch[] = [];
  for (const start of new Set([0, Math.max(1, loader.batchesPerEpoch - 1)])) {
    for await (const batch of loader.batches(draws, start, { whole: true })) {
      if (found.length === 0 || samplesOf(batch) !== samplesOf(found[0])) found.push(batch);
      if (start === 0) break;
    }
    if (found.length === 0) throw noBatches("explain", loader);
  }
  return found;
}

/** The ledger of a run. `planned`: its graphs; `initDraws`: how many draws its model callable took. */
export function ledgerOf(
  { options, seed }: TrainerView,
  loader: DataLoader,
  planned: readonly PlannedGraph[],
  initDraws: number,
): LedgerRow[] {
  const of = (role: string) => planned.find((entry) => entry.role === role)?.graph;
  const length = lengthOf(options.loop, loader);
  const steps = Math.ceil(loader.batchesPerEpoch / options.loop.gradAccumSteps);
  return runLedger({
    init: of("init"),
    train: of("train")!,
    trainLast: length.stepsPerEpoch === steps ? of("trainLast") : undefined,
    initDraws,
    loader,
    seed,
    ...length,
  }).map(({ owner, offset, count }) => ({ owner, offset, count }));
}

/** Plans every graph that a fit would run. */
export async function explain(session: Session, train: DataLoader, validation?: DataLoader): Promise<PlannedGraph[]> {
  const planned: PlannedGraph[] = [];
  const { trainer } = session;
  const { target } = await trainer.backend();
  const add = (role: string, plan: Plan) =>
    planned.push({ role, graph: plan.graph, graphHash: plan.graphHash, plan, schedule: schedulePlan(plan, target) });
  await trainer.initialize();
  const { initGraph } = session;
  const { model } = trainer;
  if (initGraph) add("init", lower(initGraph));
  const { gradAccumSteps } = trainer.options.loop;
  for (const [i, { input }] of (await groupsOf(trainer, train, gradAccumSteps)).entries()) {
    for (const { suffix, plan } of await trainPlans(trainer, input))
      add(`${i === 0 ? "train" : "trainLast"}${suffix}`, plan);
  }
  if (!validation) return planned;
  const evalStep = await trainer.evalStep();
  const read = byName({ columns: train.columns, table: train.table?.fit(trainer.seed) }, validation);
  await inEvaluation(model, async () => {
    for (const [i, { tensors }] of (await validationBatches(trainer, read)).entries()) {
      add(i === 0 ? "eval" : "evalLast", await evalStep.plan(tensors));
    }
  });
  return planned;
}
