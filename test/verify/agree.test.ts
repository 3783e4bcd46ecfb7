// Runs whose chains agree as far as both go: what is said of them, and that nothing is run again for it. They are made in code, and nobody says
// how they are made again: whatever had to be replayed would leave a note.
import { readFileSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import * as optim from "../../src/optim/index.ts";
import type { Run } from "../../src/train/run.ts";
import { diffRuns } from "../../src/verify/diff.ts";
import { showDiff } from "../../src/verify/show.ts";
import { temporaryFolder } from "../support/folder.ts";
import { toyTrain, toyTrainer } from "../support/toy.ts";

type Options = Parameters<typeof toyTrainer>[0];

async function finished(options: Options = {}, stop?: AbortSignal): Promise<string> {
  const modelDir = `${temporaryFolder()}/run`;
  const trainer = toyTrainer({ modelDir, checkpoint: null, loop: { numSteps: 6 }, ...options });
  const fit: Promise<Run | undefined> = trainer.fit(toyTrain(), undefined, { signal: stop });
  await (stop ? expect(fit).rejects.toThrow(/stopped after step/) : fit);
  return modelDir;
}

/** Something of a manifest, changed afterwards. */
function tamper(folder: string, change: (manifest: Record<string, unknown>) => void): void {
  const path = `${folder}/manifest.json`;
  const manifest = JSON.parse(readFileSync(path, "utf8"));
  change(manifest);
  writeFileSync(path, JSON.stringify(manifest));
}

describe("one run ends before the other", () => {
  test("they are the same as far as both go; asked for so many steps, the same", async () => {
    const [a, b] = [await finished(), await finished({ loop: { numSteps: 9 } })];
    const found = await diffRuns(a, b);
    const after = `${a} ends there, ${b} goes on to step 9`;
    expect(found).toMatchObject({ equal: false, same: { steps: 6, after }, chain: { kind: "length", step: 7 } });
    expect(found).toMatchObject({ notes: [], graph: [] });
    expect([found.cause, found.step, found.op]).toEqual([undefined, undefined, undefined]);
    expect(showDiff(found).at(-1)).toBe(`the same for the first 6 steps: ${after}`);
    expect((await diffRuns(b, a)).same).toEqual({ steps: 6, after });
    for (const steps of [1, 6])
      expect(await diffRuns(a, b, { steps })).toMatchObject({ equal: true, same: { steps }, notes: [] });
    expect(await diffRuns(a, b, { steps: 7 })).toMatchObject({ equal: false, same: { steps: 6, after } });
  });

  test("the shorter was stopped, or is interrupted", async () => {
    const whole = await finished();
    const early = await finished({
      callbacks: [{ onTrainStepEnd: ({ trainer, step }) => void (step === 4 && trainer.stop("it is good enough")) }],
    });
    expect((await diffRuns(early, whole)).same).toEqual({
      steps: 4,
      after: `${early} ends there (it is good enough), ${whole} goes on to step 6`,
    });
    const controller = new AbortController();
    const callback = { onTrainStepEnd: ({ step }: { step: number }) => void (step === 3 && controller.abort()) };
    const interrupted = await finished({ callbacks: [callback] }, controller.signal);
    expect((await diffRuns(whole, interrupted)).same).toEqual({
      steps: 3,
      after: `${interrupted} ends there (interrupted), ${whole} goes on to step 6`,
    });
  });

  test("as long, and one isn't finished: there is no digest to compare", async () => {
    const [a, b] = [await finished(), await finished()];
    tamper(b, (manifest) => {
      manifest.status = "running";
      delete manifest.result;
    });
    const found = await diffRuns(a, b);
    expect(found).toMatchObject({ equal: false, same: { steps: 6 }, notes: [] });
    expect(showDiff(found).at(-1)).toBe(
      `the same for the first 6 steps: ${b} ends there (running), and has no digest to compare`,
    );
    expect(await diffRuns(a, b, { steps: 6 })).toMatchObject({ equal: true });
  });
});

describe("what chains that agree don't settle", () => {
  test("other numbers of which nothing shows are told, and the runs are the same", async () => {
    const [a, b] = [await finished(), await finished()];
    tamper(b, (manifest) => {
      manifest.hyperparameters = { extra: { value: 2, float32: "40000000" } };
    });
    const found = await diffRuns(a, b);
    expect(found).toMatchObject({ equal: true, notes: [expect.stringContaining("nothing shows")] });
    expect(found.facts.map(({ what }) => what)).toContain("extra");
    expect(showDiff(found).at(-1)).toBe("the same");
  });

  test("a seed or digest in a manifest that isn't the chain's", async () => {
    const [a, b] = [await finished(), await finished()];
    tamper(b, (manifest) => {
      manifest.seed = "8";
    });
    expect((await diffRuns(a, b)).equal).toBe(false);
    const c = await finished();
    tamper(c, ({ result }) => {
      (result as { digest: string }).digest = "12".repeat(32);
    });
    expect(await diffRuns(a, c)).toMatchObject({ equal: false, notes: [expect.stringContaining("made in code")] });
  });

  test("a step that differs is beyond those that are compared", async () => {
    const rates = (second: number) => optim.piecewiseConstantLR({ learningRates: [0.01, second], milestones: [3] });
    const [a, b] = [await finished({ schedulers: rates(0.01) }), await finished({ schedulers: rates(0.02) })];
    const whole = await diffRuns(a, b);
    expect(whole.equal).toBe(false);
    const { step } = whole.chain!;
    expect(await diffRuns(a, b, { steps: step - 1 })).toMatchObject({ equal: true, same: { steps: step - 1 } });
    expect((await diffRuns(a, b, { steps: step })).equal).toBe(false);
  });
});
