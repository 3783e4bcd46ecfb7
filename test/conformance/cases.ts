// Every op's cases, generated from the records where they can be: what each backend must compute to the same bits as `reference`. An
// elementwise op's cases come from its record alone; the other kinds are described by kind and shape.
import { reachable } from "../../src/graph/node.ts";
import { withTrace } from "../../src/graph/scope.ts";
import { input } from "../../src/ops/creation.ts";

import { activationCases } from "./cases/activations.ts";
import { arrangementCases } from "./cases/arrangement.ts";
import { assembleCases } from "./cases/assemble.ts";
import { attentionCases } from "./cases/attention.ts";
import type { Case, Computation } from "./cases/case.ts";
import { compositeCases } from "./cases/composite.ts";
import { contractionCases } from "./cases/contraction.ts";
import { broadcastCases, elementwiseCases } from "./cases/elementwise.ts";
import { imageCases } from "./cases/images.ts";
import { indexedCases } from "./cases/indexed.ts";
import { linalgCases } from "./cases/linalg.ts";
import { lineCases } from "./cases/line.ts";
import { lossCases } from "./cases/losses.ts";
import { matmulCases } from "./cases/matmul.ts";
import { movementCases } from "./cases/movement.ts";
import { normCases } from "./cases/norm.ts";
import { reduceCases } from "./cases/reduce.ts";
import { scanCases } from "./cases/scan.ts";
import { creationCases, randomCases } from "./cases/sources.ts";

export type { Case };

/** All cases: what the records give, and what each kind is given here. */
export function conformanceCases(): Case[] {
  const groups: Record<string, Computation[]> = {
    elementwise: elementwiseCases(),
    broadcasting: broadcastCases(),
    reduce: reduceCases(),
    matmul: matmulCases(),
    movement: movementCases(),
    assemble: assembleCases(),
    indexed: indexedCases(),
    lines: lineCases(),
    random: randomCases(),
    creation: creationCases(),
    composite: compositeCases(),
    scan: scanCases(),
    linalg: linalgCases(),
    losses: lossCases(),
    norm: normCases(),
    activations: activationCases(),
    arrangement: arrangementCases(),
    contraction: contractionCases(),
    attention: attentionCases(),
    images: imageCases(),
  };
  return Object.entries(groups).flatMap(([group, members]) => members.map((member) => ({ ...member, group })));
}

/** The names of the ops that a case computes. */
export function opsOf({ inputs, build }: Case): Set<string> {
  const { result } = withTrace(() => build(...inputs.map(({ shape, dtype }) => input(shape, dtype))));
  return new Set(reachable([result]).map((node) => node.op));
}
