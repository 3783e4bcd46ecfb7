// Memory for versions: lineages are given their own before a program runs on them.
import type { Backend } from "../compile/contract.ts";
import type { Node } from "../graph/node.ts";
import { type Evaluation, evaluate } from "../runtime/evaluate.ts";
import { moveTo } from "../runtime/stored.ts";
import type { Lineage } from "./lineage.ts";
import type { Variable } from "./variable.ts";

/** Gives lineages memory of their own on the backend, computing what is pending as one graph whose outputs carry their names. Call under `exclusive`. null where nothing was computed. */
export async function settleLineages(
  backend: Backend,
  named: readonly (readonly [string, Lineage])[],
): Promise<Evaluation | null> {
  const missing: { name: string; lineage: Lineage; node: Node }[] = [];
  for (const [name, lineage] of named) {
    const node = lineage.unsettled;
    if (node) missing.push({ name, lineage, node });
    else if (!lineage.isOn(backend)) lineage.settle(await moveTo(backend, lineage));
  }
  if (missing.length === 0) return null;
  const evaluation = await evaluate(backend, missing);
  for (const [i, { lineage }] of missing.entries()) lineage.settle(evaluation.stored[i]);
  return evaluation;
}

/** Gives variables memory of their own on the backend, computing what is pending as one graph whose outputs carry their names. Call under `exclusive`. null where nothing was computed. */
export function settleVariables(
  backend: Backend,
  named: Iterable<readonly [string, Variable]>,
): Promise<Evaluation | null> {
  const lineages = [...named].map(([name, variable]) => [name, variable.lineage] as const);
  return settleLineages(backend, lineages);
}
