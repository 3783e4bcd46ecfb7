// The graphs of a run with their plans: what `explain` shows. Traces only; the stream stays where it is.

import { planGraph } from "../compile/lower.ts";
import type { Plan } from "../compile/plan.ts";
import { importing } from "../core/lazy.ts";
import { validationBatches, variousGroups } from "../data/groups.ts";
import type { DataLoader } from "../data/loader.ts";
import { byName } from "../data/named.ts";
import { inEvaluation } from "../nn/evaluation.ts";
import type { PlannedGraph } from "../report/graph.ts";
import { type LedgerRow, runLedger } from "../run/ledger.ts";
import { schedulePlan } from "../schedule/schedule.ts";
import type { TrainerView } from "./contract.ts";
import { lengthOf } from "./length.ts";
import type { Session } from "./session.ts";
import { trainPlans } from "./step.ts";

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
  const add = async (role: string, plan: Plan) => {
    const { graph, graphHash } = plan;
    planned.push({ role, graph, graphHash, plan, schedule: await importing(() => schedulePlan(plan, target)) });
  };
  await trainer.initialize();
  const { initGraph } = session;
  const { model } = trainer;
  if (initGraph) await add("init", await planGraph(initGraph));
  const { gradAccumSteps } = trainer.options.loop;
  for (const [i, { input }] of (await variousGroups(trainer.seed, train, gradAccumSteps)).entries()) {
    for (const { suffix, plan } of await trainPlans(trainer, input))
      await add(`${i === 0 ? "train" : "trainLast"}${suffix}`, plan);
  }
  if (!validation) return planned;
  const evalStep = await trainer.evalStep();
  const read = byName({ columns: train.columns, table: train.table?.fit(trainer.seed) }, validation);
  await inEvaluation(model, async () => {
    for (const [i, { tensors }] of (await validationBatches("explain", trainer.seed, read)).entries()) {
      await add(i === 0 ? "eval" : "evalLast", await evalStep.plan(tensors));
    }
  });
  return planned;
}
