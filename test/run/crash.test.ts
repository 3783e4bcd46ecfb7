// A run that dies at any file call, as a killed process does: nothing after that call happens, and a write may be half done. Whatever it
// leaves, the next run goes on from it, to the digest and the files of a run that never stopped.
import * as fs from "node:fs";
import { afterEach, describe, expect, test } from "vitest";
import { type FileCalls, replaceFileCalls } from "../../src/io/files.node.ts";
import { latestCheckpoint, listCheckpoints, loadCheckpoint } from "../../src/run/checkpoint.ts";
import { CSVLogger } from "../../src/train/loggers/csv.ts";
import { JSONLLogger } from "../../src/train/loggers/jsonl.ts";
import { temporaryFolder } from "../support/folder.ts";
import { toyTrain, toyTrainer } from "../support/toy.ts";

const steps = 5;
/** Every how manyth call is tried. */
const stride = 17;

let restore: (() => void) | undefined;
afterEach(() => {
  restore?.();
  restore = undefined;
});

const run = (modelDir: string) =>
  toyTrainer({
    modelDir,
    checkpoint: { steps: 1, keep: 2 },
    loop: { numSteps: steps },
    logging: { logSteps: 1, logLevel: "silent" },
    loggers: [new CSVLogger(), new JSONLLogger()],
  }).fit(toyTrain());

/** Counts the calls, and dies at number `last` (from 1): that one and all after it throw. `half`: if it is a write, half of it is done. */
function dieAt(last: number, half: boolean): () => number {
  let count = 0;
  const dying =
    <T extends (...args: never[]) => unknown>(call: T) =>
    (...args: Parameters<T>): unknown => {
      count++;
      if (count < last) return call(...args);
      if (count === last && half && (call as unknown) === fs.writeSync) {
        const [descriptor, bytes, offset, length] = args as unknown as [number, Uint8Array, number, number];
        fs.writeSync(descriptor, bytes, offset, Math.floor(length / 2));
      }
      throw Object.assign(new Error("killed"), { code: "EIO" });
    };
  const { openSync, writeSync, fsyncSync, closeSync, renameSync, rmSync, ftruncateSync } = fs;
  const calls = { openSync, writeSync, fsyncSync, closeSync, renameSync, rmSync, ftruncateSync };
  restore = replaceFileCalls(
    Object.fromEntries(Object.entries(calls).map(([name, call]) => [name, dying(call as never)])) as Partial<FileCalls>,
  );
  return () => count;
}

const filesOf = (folder: string) =>
  Object.fromEntries(
    ["chain.bin", "metrics.csv", "metrics.jsonl", `checkpoints/checkpoint_${steps}.safetensors`].map((name) => [
      name,
      fs.readFileSync(`${folder}/${name}`, "latin1"),
    ]),
  );

describe("killed at a file call", () => {
  test.each([
    ["between calls", false],
    ["in the middle of a write", true],
  ])("%s: it goes on to the same digest, chain, metrics and checkpoints", async (_, half) => {
    const whole = `${temporaryFolder()}/run`;
    const counted = dieAt(Number.POSITIVE_INFINITY, false);
    const { digest } = await run(whole);
    restore!();
    const total = counted();
    expect(total).toBeGreaterThan(100);
    for (let last = half ? 3 : 1; last <= total; last += stride) {
      const folder = `${temporaryFolder()}/run`;
      dieAt(last, half);
      await run(folder).catch(() => {});
      restore!();
      // This process lives on; the one that is meant would be gone.
      for (const file of fs.readdirSync(folder)) if (/^lock/.test(file)) fs.rmSync(`${folder}/${file}`);
      const where = `call ${last} of ${total}`;
      for (const { file } of listCheckpoints(`${folder}/checkpoints`)) loadCheckpoint(`${folder}/checkpoints/${file}`);
      expect((await run(folder)).digest, where).toBe(digest);
      expect(filesOf(folder), where).toEqual(filesOf(whole));
      expect(
        fs.readdirSync(folder).filter((file) => /^lock/.test(file)),
        where,
      ).toEqual([]);
      expect(listCheckpoints(`${folder}/checkpoints`), where).toEqual(listCheckpoints(`${whole}/checkpoints`));
      expect(fs.readdirSync(`${folder}/checkpoints`).length, where).toBe(3);
      expect(loadCheckpoint(latestCheckpoint(`${folder}/checkpoints`)!).state.step, where).toBe(steps);
    }
  });
});
