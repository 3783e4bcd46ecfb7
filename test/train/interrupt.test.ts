// A fit that an AbortSignal stops: after whole steps, saved where there is a folder, and going on as if it had never stopped.
import { describe, expect, test } from "vitest";
import { InterruptedError } from "../../src/core/errors.ts";
import { latestCheckpoint } from "../../src/run/checkpoint.ts";
import { readManifest } from "../../src/run/manifest.ts";
import type { Callback } from "../../src/train/contract.ts";
import { temporaryFolder } from "../support/folder.ts";
import { toyTest, toyTrain, toyTrainer } from "../support/toy.ts";

/** Aborts in the middle of step `at`. */
function abortAt(at: number): { signal: AbortSignal; callback: Callback } {
  const controller = new AbortController();
  const callback: Callback = {
    onTrainStepStart({ step }) {
      if (step === at) controller.abort("enough");
    },
  };
  return { signal: controller.signal, callback };
}

async function interrupted(run: Promise<unknown>): Promise<InterruptedError> {
  const error = await run.catch((caught) => caught);
  expect(error).toBeInstanceOf(InterruptedError);
  return error as InterruptedError;
}

describe("an aborted fit", () => {
  test.each([1, 3, 4, 6, 11])(
    "in step %i: that step is finished and saved, and the resumed digest is the whole run's",
    async (at) => {
      const { digest } = await toyTrainer().fit(toyTrain());
      const modelDir = `${temporaryFolder()}/run`;
      const { signal, callback } = abortAt(at);
      const error = await interrupted(
        toyTrainer({ modelDir, callbacks: [callback] }).fit(toyTrain(), undefined, { signal }),
      );
      expect(error).toMatchObject({
        step: at,
        checkpoint: latestCheckpoint(`${modelDir}/checkpoints`),
        cause: "enough",
      });
      expect(error.checkpoint).toContain(`checkpoint_${at}.`);
      expect(readManifest(`${modelDir}/manifest.json`).status).toBe("interrupted");
      expect((await toyTrainer({ modelDir }).fit(toyTrain())).digest).toBe(digest);
    },
  );

  test("the same Trainer goes on too, without a folder", async () => {
    const { digest } = await toyTrainer().fit(toyTrain());
    const { signal, callback } = abortAt(5);
    const trainer = toyTrainer({ callbacks: [callback] });
    const error = await interrupted(trainer.fit(toyTrain(), undefined, { signal }));
    expect(error).toMatchObject({ step: 5, checkpoint: undefined });
    expect((await trainer.fit(toyTrain())).digest).toBe(digest);
  });

  test("validation that is due after the step still happens; a step that was saved already isn't saved twice", async () => {
    const { signal, callback } = abortAt(2);
    const seen: string[] = [];
    const watcher: Callback = {
      onValidateEnd: () => void seen.push("validated"),
      onAfterSaveCheckpoint: ({ step }) => void seen.push(`saved ${step}`),
      onTrainException: () => void seen.push("told"),
      finalize: () => void seen.push("finalized"),
    };
    const trainer = toyTrainer({
      modelDir: `${temporaryFolder()}/run`,
      checkpoint: { steps: 2 },
      loop: { numEpochs: 1, evalFrequency: 2 },
      callbacks: [callback, watcher],
    });
    await interrupted(trainer.fit(toyTrain(), toyTest(), { signal }));
    expect(seen).toEqual(["validated", "saved 2", "told", "finalized"]);
  });

  test("a signal that was aborted before takes no step; one that comes in the last step changes nothing", async () => {
    const trainer = toyTrainer({ modelDir: `${temporaryFolder()}/run` });
    const error = await interrupted(trainer.fit(toyTrain(), undefined, { signal: AbortSignal.abort(new Error("no")) }));
    expect(error).toMatchObject({ step: 0, checkpoint: undefined, got: "no" });
    const { signal, callback } = abortAt(12);
    expect((await toyTrainer({ callbacks: [callback] }).fit(toyTrain(), undefined, { signal })).steps).toBe(12);
  });
});
