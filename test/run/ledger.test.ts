// The ledger of draws: it names every range, without gap or overlap, and says what the run does.
import { describe, expect, test } from "vitest";
import { watchOffset } from "../../src/core/numerics.ts";
import type { DataLoader } from "../../src/data/loader.ts";
import * as nn from "../../src/nn/index.ts";
import { manualSeed } from "../../src/rng/stream.ts";
import { graphDraws, printLedger, runLedger } from "../../src/run/ledger.ts";
import { compile } from "../../src/tensor/compiled.ts";
import { ones, uniform } from "../../src/tensor/functions.ts";
import type { Tensor } from "../../src/tensor/tensor.ts";
import { lengthOf } from "../../src/train/fit.ts";
import { toyTrain, toyTrainer } from "../support/toy.ts";

test("ranges of a step and of a run", async () => {
  manualSeed(1);
  const model = nn.sequential(nn.dropout(0.5), nn.dropout(0.1));
  const train = await compile((x: Tensor) => (model.forward(x) as Tensor).sum(), { state: model }).trace(ones([4, 3]));
  expect(graphDraws(train).map(({ offset, count }) => [offset, count])).toEqual([
    [0, 12],
    [12, 12],
  ]);
  expect(graphDraws(train)[0].owner).toBe("randomWords [4, 3] for result");
  const init = { owner: "init: drawn, and not used", offset: 0, count: 100 };
  const rows = runLedger({ train, initDraws: 100, drawsPerEpoch: 10, stepsPerEpoch: 3, totalSteps: 5 });
  expect(rows[0]).toEqual(init);
  expect(rows.slice(1).map(({ offset, count }) => [offset, count])).toEqual([
    [100, 10],
    [110, 72],
    [182, 10],
    [192, 48],
    [watchOffset, 0],
  ]);
  expect(printLedger(rows).split("\n")[2]).toMatch(/^\[110, 182\) +epoch 0: steps 1 to 3, 24 draws each/);
});

describe("a run without draws", () => {
  test("has an empty range for its steps", async () => {
    const train = await compile((x: Tensor) => x.sum()).trace(ones([2]));
    expect(graphDraws(train)).toEqual([]);
    expect(printLedger(runLedger({ train, initDraws: 0, drawsPerEpoch: 0, stepsPerEpoch: 2, totalSteps: 2 }))).toBe(
      "none                epoch 0: steps 1 to 2, 0 draws each\n" +
        "[8796093022208, …)  validation and all that watches, anew each time",
    );
    expect(runLedger({ train, initDraws: 0, drawsPerEpoch: 0, stepsPerEpoch: 2, totalSteps: 2 })[0]).toMatchObject({
      offset: 0,
      count: 0,
    });
  });
});

describe("the ledger is what a run does", () => {
  /** The loader, and the ranges it was given for its epochs. */
  function spied(loader: DataLoader): { loader: DataLoader; offsets: () => number[] } {
    const offsets: number[] = [];
    return {
      loader: {
        ...loader,
        batches(epoch, start) {
          offsets.push(epoch.offset);
          return loader.batches(epoch, start);
        },
      },
      // A fit looks at the first batch, for its shapes, from 0.
      offsets: () => offsets.filter((offset) => offset > 0),
    };
  }

  test.each([
    ["whole batches", {}, { numEpochs: 3 }],
    ["a short last batch", { dropLast: false }, { numEpochs: 2 }],
    ["a short last batch, stopped in mid-epoch", { dropLast: false }, { numSteps: 8 }],
    ["a short last batch that no epoch comes to", { dropLast: false }, { numEpochs: 2, stepsPerEpoch: 3 }],
  ] as const)("%s: rows meet, the loader's are where it drew, the end is the stream's", async (_, options, loop) => {
    const { loader, offsets } = spied(toyTrain(options));
    const planned = await toyTrainer({ loop }).explain(toyTrain(options));
    const of = (role: string) => planned.find((entry) => entry.role === role)?.graph;
    const trainer = toyTrainer({ loop });
    const length = lengthOf(trainer.options.loop, loader);
    const rows = runLedger({
      init: of("init"),
      train: of("train")!,
      trainLast: length.stepsPerEpoch === loader.batchesPerEpoch ? of("trainLast") : undefined,
      initDraws: trainer.stream.position,
      drawsPerEpoch: loader.drawsPerEpoch,
      ...length,
    });
    const { streamPosition } = await trainer.fit(loader);
    const drawn = rows.slice(0, -1);
    drawn.forEach((row, i) => {
      expect(row.offset, row.owner).toBe(i === 0 ? 0 : drawn[i - 1].offset + drawn[i - 1].count);
    });
    expect(drawn.at(-1)!.offset + drawn.at(-1)!.count).toBe(streamPosition);
    expect(drawn.filter((row) => row.owner.endsWith("the loader")).map((row) => row.offset)).toEqual(offsets());
    expect(drawn.filter((row) => row.owner.startsWith("init")).map((row) => row.owner)).toEqual([
      "init: randomWords [8, 4] for parameter/0.weight",
      "init: randomWords [8] for parameter/0.bias",
      "init: randomWords [2, 8] for parameter/3.weight",
      "init: randomWords [2] for parameter/3.bias",
    ]);
  });

  test("draws that nothing uses have a row of their own, in a step and in the model callable", async () => {
    const program = (x: Tensor) => {
      uniform([5]);
      return x.add(uniform([2])).sum();
    };
    const train = await compile(program).trace(ones([2]));
    expect(graphDraws(train).map(({ owner, offset, count }) => [owner, offset, count])).toEqual([
      ["drawn, and not used", 0, 5],
      ["randomWords [2] for result", 5, 2],
    ]);
  });
});
