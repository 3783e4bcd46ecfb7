// The ledger of draws: it names every range, without gap or overlap, and says what the run does.
import { describe, expect, test } from "vitest";
import { watchOffset } from "../../src/core/numerics.ts";
import * as nn from "../../src/nn/index.ts";
import { manualSeed } from "../../src/rng/stream.ts";
import { graphDraws, printLedger, runLedger } from "../../src/run/ledger.ts";
import { compile } from "../../src/tensor/compiled.ts";
import { ones } from "../../src/tensor/functions.ts";
import type { Tensor } from "../../src/tensor/tensor.ts";

test("ranges of a step and of a run", async () => {
  manualSeed(1);
  const model = nn.sequential(nn.dropout(0.5), nn.dropout(0.1));
  const train = await compile((x: Tensor) => (model.forward(x) as Tensor).sum(), { state: model }).trace(ones([4, 3]));
  expect(graphDraws(train).map(({ offset, count }) => [offset, count])).toEqual([
    [0, 12],
    [12, 12],
  ]);
  expect(graphDraws(train)[0].owner).toBe("randomWords [4, 3] for result");
  const rows = runLedger({ train, initDraws: 100, drawsPerEpoch: 10, stepsPerEpoch: 3, totalSteps: 5 });
  expect(rows.map(({ offset, count }) => [offset, count])).toEqual([
    [100, 10],
    [110, 72],
    [182, 10],
    [192, 48],
    [watchOffset, 0],
  ]);
  expect(printLedger(rows).split("\n")[1]).toMatch(/^\[110, 182\) +epoch 0: steps 1 to 3, 24 draws each/);
});

describe("a run without draws", () => {
  test("has an empty range for its steps", async () => {
    const train = await compile((x: Tensor) => x.sum()).trace(ones([2]));
    expect(graphDraws(train)).toEqual([]);
    expect(runLedger({ train, initDraws: 0, drawsPerEpoch: 0, stepsPerEpoch: 2, totalSteps: 2 })[0]).toMatchObject({
      offset: 0,
      count: 0,
    });
  });
});
