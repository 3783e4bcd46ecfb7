// Data ahead of the step: each batch is asked for while the step before it runs, no more than are wanted, errors come in their place, the
// loader is closed, the time spent waiting is told, and no bit depends on any of it.
import { describe, expect, test } from "vitest";
import { DataClock, prefetch } from "../../src/data/feed.ts";
import type { DataLoader, LoadedBatch } from "../../src/data/loader.ts";
import type { StepContext, StepResult } from "../../src/train/contract.ts";
import { temporaryFolder } from "../support/folder.ts";
import { toyTest, toyTrain, toyTrainer } from "../support/toy.ts";

const rest = (milliseconds: number) => new Promise<void>((resolve) => setTimeout(resolve, milliseconds));

/** The toy loader's batches, each made ready by `prepare`; what happens to it, in order. */
function asyncLoader(prepare: (index: number) => Promise<void>) {
  const events: string[] = [];
  const inner = toyTrain();
  const loader: DataLoader = {
    ...inner,
    async *batches(epoch, start = 0) {
      let index = start;
      try {
        for (const batch of inner.batches(epoch, start) as Iterable<LoadedBatch>) {
          events.push(`ask ${index}`);
          await prepare(index);
          events.push(`have ${index}`);
          index++;
          yield batch;
        }
      } finally {
        events.push("closed");
      }
    },
  };
  return { loader, events };
}

/** Notes when steps begin and end. */
const watch = (events: string[]) => ({
  onTrainBatchStart: ({ step }: StepContext) => void events.push(`begin ${step}`),
  onTrainStepEnd: async ({ step }: StepResult) => {
    await rest(5);
    events.push(`end ${step}`);
  },
});

describe("ahead", () => {
  const collect = async (source: AsyncIterable<number>, count: number) => {
    const out: number[] = [];
    for await (const value of prefetch(source, count, new DataClock())) out.push(value);
    return out;
  };
  async function* numbers(asked: number[], end = Infinity) {
    for (let i = 0; i < end; i++) {
      asked.push(i);
      yield i;
    }
  }

  test("asks for as many values as are wanted and no more, and stops where there are fewer", async () => {
    for (const [count, end, expected] of [
      [3, Infinity, [0, 1, 2]],
      [0, Infinity, []],
      [5, 2, [0, 1]],
    ] as const) {
      const asked: number[] = [];
      expect(await collect(numbers(asked, end), count)).toEqual(expected);
      expect(asked).toEqual(expected);
    }
  });

  test("a value is asked for before the one before it is used", async () => {
    const asked: number[] = [];
    for await (const value of prefetch(numbers(asked), 4, new DataClock())) {
      expect(asked.length).toBe(Math.min(value + 2, 4));
    }
  });

  test("an error that comes early is thrown where its value was to come", async () => {
    const seen: number[] = [];
    const failing = async function* () {
      yield 0;
      yield 1;
      throw new Error("no more");
    };
    await expect(async () => {
      for await (const value of prefetch(failing(), 9, new DataClock())) {
        await rest(1);
        seen.push(value);
      }
    }).rejects.toThrow("no more");
    expect(seen).toEqual([0, 1]);
  });
});

describe("a fit", () => {
  test("has the next batch made while a step runs, and closes the loader at each epoch's end", async () => {
    const { loader, events } = asyncLoader(async () => {});
    await toyTrainer({ callbacks: [watch(events)], loop: { numEpochs: 2 } }).fit(loader);
    const epoch = (first: number) => [
      "ask 0",
      "have 0",
      ...[0, 1, 2].flatMap((i) => [`begin ${first + i}`, `ask ${i + 1}`, `have ${i + 1}`, `end ${first + i}`]),
      `begin ${first + 3}`,
      `end ${first + 3}`,
      "closed",
    ];
    // Before training begins, one batch is looked at for its shapes.
    const begin = events.indexOf("closed") + 1;
    const order = (list: string[]) => list.filter((event) => !event.startsWith("begin"));
    expect(order(events.slice(begin))).toEqual(order([...epoch(1), ...epoch(5)]));
    expect(events.indexOf("ask 1")).toBeLessThan(events.indexOf("end 1"));
  });

  test("asks for no batch beyond its last step, and closes the loader", async () => {
    const { loader, events } = asyncLoader(async () => {});
    await toyTrainer({ loop: { numSteps: 2 } }).fit(loader);
    expect(events.filter((event) => event.startsWith("ask"))).toEqual(["ask 0", "ask 0", "ask 1"]);
    expect(events[events.length - 1]).toBe("closed");
  });

  test("fails at the step whose batch can't be had, and not before", async () => {
    const { loader, events } = asyncLoader(async (index) => {
      if (index === 2) throw new Error("the disk is gone");
    });
    const trainer = toyTrainer({ callbacks: [watch(events)] });
    await expect(trainer.fit(loader)).rejects.toThrow("the disk is gone");
    expect(trainer.step).toBe(2);
    expect(events.filter((event) => event.startsWith("end"))).toEqual(["end 1", "end 2"]);
    expect(events.filter((event) => event === "closed").length).toBe(2);
  });

  test("a step that fails isn't hidden by the batch that was asked for meanwhile", async () => {
    const { loader, events } = asyncLoader(async (index) => {
      await rest(1);
      if (index === 1) throw new Error("the disk is gone");
    });
    const failing = {
      onTrainStepEnd: async () => {
        await rest(10);
        throw new Error("the step's own");
      },
    };
    await expect(toyTrainer({ callbacks: [failing] }).fit(loader)).rejects.toThrow("the step's own");
    expect(events[events.length - 1]).toBe("closed");
  });

  test("slow or quick, at once or in time, going on in the middle: one digest", async () => {
    const { digest } = await toyTrainer().fit(toyTrain());
    const slow = asyncLoader((index) => rest(index % 3));
    expect((await toyTrainer().fit(slow.loader)).digest).toBe(digest);
    for (const at of [1, 4, 7]) {
      const modelDir = `${temporaryFolder()}/run`;
      await toyTrainer({ modelDir, loop: { numEpochs: 3, maxSteps: at } }).fit(slow.loader);
      expect((await toyTrainer({ modelDir }).fit(slow.loader)).digest, `step ${at}`).toBe(digest);
      // A run that was finished before keeps what was said of it.
      const again = await toyTrainer({ modelDir }).fit(slow.loader);
      expect([again.digest, typeof again.dataShare]).toEqual([digest, "number"]);
    }
  });

  test("says which share of the steps' time it waited for data: without validation", async () => {
    const waiting = await toyTrainer({ loop: { numSteps: 4 } }).fit(asyncLoader(() => rest(150)).loader);
    expect(waiting.dataShare).toBeGreaterThan(0.5);
    expect(waiting.dataShare).toBeLessThanOrEqual(1);
    const slowSteps = { onTrainStepEnd: () => rest(200) };
    const overlapped = await toyTrainer({ loop: { numSteps: 4 }, callbacks: [slowSteps] }).fit(
      asyncLoader(() => rest(15)).loader,
    );
    // Only the first batch is waited for.
    expect(overlapped.dataShare).toBeLessThan(0.4);
    const busy = (loader: DataLoader): DataLoader => ({
      ...loader,
      *batches(epoch, start) {
        for (const batch of loader.batches(epoch, start) as Iterable<LoadedBatch>) {
          for (const begin = performance.now(); performance.now() - begin < 100; );
          yield batch;
        }
      },
    });
    // Work done at once is no less waited for because it's done early.
    expect((await toyTrainer({ loop: { numSteps: 4 } }).fit(busy(toyTrain()))).dataShare).toBeGreaterThan(0.5);
    const validation = { onValidateBatchEnd: () => rest(100) };
    const { dataShare } = await toyTrainer({ loop: { numSteps: 4, evalFrequency: 1 }, callbacks: [validation] }).fit(
      busy(toyTrain()),
      toyTest(),
    );
    expect(dataShare).toBeGreaterThan(0.5);
  });
});
