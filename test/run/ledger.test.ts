// The ledger of draws: it names every range, without gap or overlap, and says what the run does.
import { describe, expect, test } from "vitest";
import type { DataLoader } from "../../src/data/loader.ts";
import * as nn from "../../src/nn/index.ts";
import { compile } from "../../src/program/compiled.ts";
import { dataOffset, watchOffset } from "../../src/rng/regions.ts";
import { manualSeed } from "../../src/rng/stream.ts";
import { graphDraws, printLedger, runLedger } from "../../src/run/ledger.ts";
import { ones, uniform } from "../../src/tensor/functions.ts";
import type { Tensor } from "../../src/tensor/tensor.ts";
import { lengthOf } from "../../src/train/length.ts";
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
  const loader = { name: "d", drawsPerEpoch: 10 };
  const rows = runLedger({ train, initDraws: 100, loader, seed: 1n, stepsPerEpoch: 3, totalSteps: 5 });
  expect(rows[0]).toEqual(init);
  expect(rows.slice(1).map(({ offset, count }) => [offset, count])).toEqual([
    [100, 72],
    [172, 48],
    [dataOffset + 2 ** 30, 20],
    [watchOffset, 0],
  ]);
  const lines = printLedger(rows).split("\n");
  expect(lines[1]).toMatch(/^\[100, 172\) +epoch 0: steps 1 to 3, 24 draws each/);
  expect(lines[3]).toMatch(/the order of the data: epochs 0 to 1, 10 draws each$/);
  const seeded = runLedger({
    train,
    initDraws: 100,
    loader: { ...loader, shuffleSeed: 5n },
    seed: 1n,
    stepsPerEpoch: 3,
    totalSteps: 3,
  });
  expect(printLedger(seeded)).toMatch(/the order of the data: epoch 0, of the stream of seed 5/);
});

describe("a run without draws", () => {
  test("has an empty range for its steps", async () => {
    const train = await compile((x: Tensor) => x.sum()).trace(ones([2]));
    expect(graphDraws(train)).toEqual([]);
    const run = {
      train,
      initDraws: 0,
      loader: { name: "d", drawsPerEpoch: 0 },
      seed: 1n,
      stepsPerEpoch: 2,
      totalSteps: 2,
    };
    expect(printLedger(runLedger(run))).toBe(
      "none                epoch 0: steps 1 to 2, 0 draws each\n" +
        "[4398046511104, …)  validation and all that watches, anew each time",
    );
    expect(runLedger(run)[0]).toMatchObject({
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
      // A fit looks at epoch 0's first batch, for its shapes, before it begins.
      offsets: () => offsets.slice(1),
    };
  }

  test.each([
    ["whole batches", {}, { numEpochs: 3 }],
    ["a short last batch", { dropLast: false }, { numEpochs: 2 }],
    ["a short last batch, stopped in mid-epoch", { dropLast: false }, { numSteps: 8 }],
    ["a short last batch that no epoch comes to", { dropLast: false }, { numEpochs: 2, stepsPerEpoch: 3 }],
  ] as const)(
    "%s: rows meet, the loader's is where it drew, the program's end is the stream's",
    async (_, options, loop) => {
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
        loader,
        seed: trainer.seed,
        ...length,
      });
      const { streamPosition } = await trainer.fit(loader);
      const [data] = rows.splice(rows.length - 2, 2);
      const drawn = rows;
      drawn.forEach((row, i) => {
        expect(row.offset, row.owner).toBe(i === 0 ? 0 : drawn[i - 1].offset + drawn[i - 1].count);
      });
      expect(drawn.at(-1)!.offset + drawn.at(-1)!.count).toBe(streamPosition);
      const epochs = Math.ceil(length.totalSteps / length.stepsPerEpoch);
      expect(Array.from({ length: epochs }, (_, epoch) => data.offset + epoch * loader.drawsPerEpoch)).toEqual(
        offsets(),
      );
      expect(data.count).toBe(epochs * loader.drawsPerEpoch);
      expect(drawn.filter((row) => row.owner.startsWith("init")).map((row) => row.owner)).toEqual([
        "init: randomWords [8, 4] for parameter/0.weight",
        "init: randomWords [8] for parameter/0.bias",
        "init: randomWords [2, 8] for parameter/3.weight",
        "init: randomWords [2] for parameter/3.bias",
      ]);
    },
  );

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
