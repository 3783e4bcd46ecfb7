// How runs stand, read while they are written; and a sweep's lines for people.
import { appendFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { durationText } from "../../src/report/duration.ts";
import { ChainFile, lastLink, readChain } from "../../src/run/chainfile.ts";
import type { RunStatus } from "../../src/sweep/local.ts";
import { RunWatch } from "../../src/sweep/progress.ts";
import { eventLine, liveRows, settingsTexts, shownNumber, sweepSecondsLeft } from "../../src/sweep/table.ts";
import { temporaryFolder } from "../support/folder.ts";
import { shortRuns } from "../support/runs.ts";

describe("a run's folder", () => {
  test("that isn't there, or is empty, tells of no step", () => {
    const watch = new RunWatch(`${temporaryFolder()}/none`);
    expect(watch.look()).toEqual({ step: 0, numbers: {} });
    expect(watch.held).toBe(false);
  });

  test("of a finished run tells its result, and where it is to end", async () => {
    const folder = temporaryFolder();
    const { trainer, train } = shortRuns.mlp;
    const run = await trainer({ modelDir: folder, checkpoint: {} }).fit(train());
    const found = new RunWatch(folder).look();
    expect(found).toMatchObject({
      step: 6,
      totalSteps: 6,
      result: { digest: run.digest },
      numbers: { loss: run.loss },
    });
    expect(lastLink(`${folder}/chain.bin`)).toEqual(readChain(`${folder}/chain.bin`).at(-1));
    writeFileSync(`${folder}/manifest.json`, "{");
    expect(new RunWatch(folder).look()).toMatchObject({ step: 6, result: undefined });
    rmSync(`${folder}/manifest.json`);
    // The beginning of a record that was being written.
    appendFileSync(`${folder}/chain.bin`, new Uint8Array(7));
    expect(lastLink(`${folder}/chain.bin`)!.step).toBe(6);
    writeFileSync(`${folder}/chain.bin`, "SGCHAIN2");
    expect(() => lastLink(`${folder}/chain.bin`)).toThrow(/not a chain file/);
    expect(new RunWatch(folder).look().step).toBe(0);
    new ChainFile(`${folder}/empty.bin`);
    expect(lastLink(`${folder}/empty.bin`)).toBeUndefined();
  });

  test("is read on: whole lines alone, each number as it was logged last; anew where the log was cut back", () => {
    const folder = temporaryFolder();
    const path = `${folder}/metrics.jsonl`;
    const watch = new RunWatch(folder);
    writeFileSync(path, '{"step":10,"loss":2}\n{"step":20,"lo');
    expect(watch.look()).toEqual({ step: 10, numbers: { loss: 2 } });
    appendFileSync(path, 'ss":1.5}\n{"step":20,"val_loss":"NaN"}\nno JSON\n');
    expect(watch.look()).toEqual({ step: 20, numbers: { loss: 1.5, val_loss: Number.NaN } });
    truncateSync(path, 21);
    expect(watch.look()).toEqual({ step: 10, numbers: { loss: 2 } });
  });
});

describe("lines", () => {
  test("of durations", () => {
    expect([0.4, 59.4, 60, 187, 7500].map(durationText)).toEqual(["0s", "59s", "1m00s", "3m07s", "2h05m"]);
  });

  const run = (index: number) => ({
    index,
    name: `run${index}`,
    settings: { "a.b": index, "a.c": [1n] },
    seed: "7",
    config: "",
  });
  const status = (index: number, changes: Partial<RunStatus>): RunStatus => ({
    run: run(index),
    state: "waiting",
    before: false,
    step: 0,
    numbers: {},
    ...changes,
  });
  const plan = { file: "s.yaml", base: "c.yaml", folder: "runs/s", repeated: 0, runs: [0, 1, 2, 3].map(run) };

  test("of a run, by what became of it", () => {
    const settings = settingsTexts(plan);
    const result = { digest: "d", steps: 3, loss: 1, metrics: {}, streamPosition: 0 };
    expect(eventLine(plan, status(1, { state: "running" }), settings)).toBe(
      "run 1 of 4 (run1) | running | b 1, c [1], seed 7",
    );
    expect(
      eventLine(
        plan,
        status(1, { state: "finished", elapsed: 61, numbers: { loss: 1, val_loss: 0.5 }, result }),
        settings,
      ),
    ).toBe("run 1 of 4 (run1) | finished | val_loss 0.5 | 1m01s | d");
    expect(eventLine(plan, status(1, { state: "failed", reason: "why" }), settings)).toBe(
      "run 1 of 4 (run1) | failed | why",
    );
  });

  test("the number shown is the sweep's metric, or the first that a run validates, or its loss", () => {
    const numbers = { loss: 3, val_loss: 2, val_accuracy: 0.5 };
    expect(shownNumber({ metric: { name: "loss" } }, { numbers })).toEqual(["val_loss", 2]);
    expect(shownNumber({ metric: { name: "val_accuracy" } }, { numbers })).toEqual(["val_accuracy", 0.5]);
    expect(shownNumber({ metric: { name: "f1" } }, { numbers })).toBeUndefined();
    expect(shownNumber({}, { numbers })).toEqual(["val_accuracy", 0.5]);
    expect(shownNumber({}, { numbers: { loss: 3, val_loss: 2 } })).toEqual(["val_loss", 2]);
    expect(shownNumber({}, { numbers: { loss: 3 } })).toEqual(["loss", 3]);
    expect(shownNumber({}, { numbers: {} })).toBeUndefined();
  });

  test("a table that has room for few shows those that go on", () => {
    const states = ["finished", "running", "waiting", "failed"] as const;
    const statuses = states.map((state, i) =>
      status(i, { state, step: i, totalSteps: 9, secondsLeft: i === 1 ? 3 : undefined }),
    );
    const rows = liveRows(plan, statuses, settingsTexts(plan), 2);
    expect(rows.slice(1).map((row) => row.slice(0, 6))).toEqual([
      ["1", "run1", "running", "1/9", "", "3s"],
      ["2", "run2", "waiting", "2/9", "", ""],
    ]);
  });

  test("the time left: what runs to its end, and what waits as long as what was made", () => {
    expect(sweepSecondsLeft([status(0, {}), status(1, {})], 2)).toBeUndefined();
    const made = status(0, { state: "finished", elapsed: 10 });
    expect(sweepSecondsLeft([made, status(1, {}), status(2, {})], 2)).toBe(10);
    expect(
      sweepSecondsLeft([made, status(1, { state: "running", elapsed: 4, secondsLeft: 30 }), status(2, {})], 2),
    ).toBe(30);
    expect(sweepSecondsLeft([{ ...made, before: true }, status(1, {})], 1)).toBeUndefined();
    expect(sweepSecondsLeft([made], 1)).toBe(0);
  });
});
