// What is left of the loggers' files after a crash or damage: each cut and each flipped bit is survived, and what is lost is said.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { replaceFileCalls } from "#files";
import { frame } from "../../src/io/events.ts";
import { setDefaultBackend } from "../../src/runtime/backends.ts";
import type { Logger } from "../../src/train/contract.ts";
import { CSVLogger } from "../../src/train/loggers/csv.ts";
import { JSONLLogger } from "../../src/train/loggers/jsonl.ts";
import { TensorBoardLogger } from "../../src/train/loggers/tensorboard.ts";
import type { Trainer } from "../../src/train/trainer.ts";
import { toyTrain, toyTrainer } from "../support/toy.ts";

// Else the default one is still being loaded when the last test ends.
beforeAll(() => setDefaultBackend("reference"));

const root = mkdtempSync(join(tmpdir(), "seedgrad-records-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const files = {
  csv: [CSVLogger, "metrics.csv"],
  jsonl: [JSONLLogger, "metrics.jsonl"],
  tensorboard: [TensorBoardLogger, "events.out.tfevents.0000000000.seedgrad"],
} as const;

let made = 0;
/** A logger over a folder whose file holds these bytes; `resume` cuts it back to a step and gives what was warned of. */
function placed(kind: keyof typeof files, bytes?: Uint8Array) {
  const [Kind, name] = files[kind];
  const modelDir = join(root, String(made++));
  const path = join(modelDir, name);
  mkdirSync(modelDir);
  if (bytes) writeFileSync(path, bytes);
  const logger: Logger = new Kind();
  logger.postSetup!({ options: { modelDir } } as Trainer);
  const resume = (step: number): string[] => {
    const said: string[] = [];
    const message = (_level: string, text: string) => void said.push(text);
    const trainer = { step, message } as unknown as Trainer;
    void logger.onTrainStart!({ trainer, totalSteps: 9, stepsPerEpoch: 9, loader: toyTrain(), validations: [] });
    return said;
  };
  return { logger, path, resume, bytes: () => new Uint8Array(readFileSync(path)) };
}

/** A file of twelve steps, and the length it had after each. */
function written(kind: keyof typeof files) {
  const { logger, path, bytes } = placed(kind);
  const ends: number[] = [];
  for (let step = 1; step <= 12; step++) {
    logger.logMetrics!({ loss: 1 / step, 'a "name", with\na line': step }, step);
    ends.push(statSync(path).size);
  }
  return { bytes: bytes(), ends };
}

describe.each(Object.keys(files) as (keyof typeof files)[])("%s", (kind) => {
  const whole = written(kind);
  const upTo = (step: number) => whole.bytes.subarray(0, whole.ends[step - 1]);
  const header = kind === "jsonl" ? 0 : kind === "csv" ? "step,name,value\n".length : 40;

  test("cut back to each step: the bytes of a file that never went further", () => {
    for (let step = 1; step <= 12; step++) {
      const { resume, bytes } = placed(kind, whole.bytes);
      expect(resume(step)).toEqual([]);
      expect(bytes()).toEqual(upTo(step));
    }
  });

  test("ended by a crash at any byte: whole records stay, and the file can be added to", () => {
    for (let length = 0; length < whole.bytes.length; length++) {
      const { resume, logger, bytes } = placed(kind, whole.bytes.subarray(0, length));
      expect(resume(12), `cut at ${length}`).toEqual([]);
      logger.logMetrics!({ loss: 1 }, 13);
      const { resume: again, bytes: after } = placed(kind, bytes());
      expect(again(13), `cut at ${length}`).toEqual([]);
      expect(after(), `cut at ${length}`).toEqual(bytes());
    }
  });

  test("zeros at the end, as a power loss leaves them: dropped, and said where they hide a record's place", () => {
    const zeros = new Uint8Array(whole.bytes.length + 64);
    zeros.set(upTo(9));
    const { resume, bytes } = placed(kind, zeros);
    const said = resume(9);
    expect(bytes()).toEqual(upTo(9));
    expect(said).toHaveLength(kind === "tensorboard" ? 1 : 0);
  });

  test("a byte that is no longer a record's: what was dropped is said with the file's name and the step", () => {
    const at = whole.ends[5] + (kind === "tensorboard" ? 20 : 0);
    const damaged = whole.bytes.slice();
    damaged[at] ^= 0xff;
    const { resume, path, bytes } = placed(kind, damaged);
    const [said] = resume(12);
    expect(said).toContain(path);
    expect(said).toMatch(/1 damaged record \(\d+ bytes\) dropped; what was logged there of steps up to 12 is lost/);
    expect(bytes().length).toBeLessThan(whole.bytes.length);
    expect(bytes().subarray(0, whole.ends[5])).toEqual(upTo(6));
    expect(bytes().subarray(-(whole.ends[11] - whole.ends[6]))).toEqual(whole.bytes.subarray(whole.ends[6]));
  });

  if (header > 0)
    test("a header that is damaged or cut is written again, and the rest stays", () => {
      const damaged = whole.bytes.slice();
      damaged[kind === "csv" ? 5 : 15] ^= 0xff;
      const { resume, bytes } = placed(kind, damaged);
      expect(resume(12)).toHaveLength(1);
      const steady = (all: Uint8Array) => (kind === "csv" ? all : all.subarray(header));
      expect(steady(bytes())).toEqual(steady(whole.bytes));
      const cut = placed(kind, whole.bytes.subarray(0, header - 5));
      cut.resume(0);
      cut.logger.logMetrics!({ loss: 1 }, 1);
      const { resume: again } = placed(kind, cut.bytes());
      expect(again(1)).toEqual([]);
      expect(cut.bytes().length).toBeGreaterThan(header);
    });
});

test("an event that ends inside a varint, with checksums that fit, is damage, not a hang", () => {
  const { bytes, ends } = written("tensorboard");
  const endless = frame(Uint8Array.from([9, 0, 0, 0, 0, 0, 0, 0, 0, 16, 255, 255]));
  const { resume } = placed(
    "tensorboard",
    Buffer.concat([bytes.subarray(0, ends[2]), endless, bytes.subarray(ends[2])]),
  );
  expect(resume(12)).toEqual([expect.stringContaining("1 damaged record (28 bytes)")]);
});

test("a metrics.csv of more bytes than a string can have is cut back", () => {
  const { resume, path } = placed("csv");
  const head = "step,name,value\n";
  // The first is longer than what is read at a time.
  const nameOf = (step: number) => (step === 1 ? 2 ** 21 : 2 ** 19);
  const line = (step: number) => `${step},`.length + nameOf(step) + ",0.5\n".length;
  writeFileSync(path, head);
  for (let step = 1; step <= 1030; step++) {
    writeFileSync(path, `${step},`, { flag: "a" });
    // Names of zeros: the system needn't write what was never written.
    truncateSync(path, statSync(path).size + nameOf(step));
    writeFileSync(path, ",0.5\n", { flag: "a" });
  }
  expect(statSync(path).size).toBeGreaterThan(2 ** 29);
  expect(resume(1029)).toEqual([]);
  expect(statSync(path).size).toBe(
    head.length + line(1) + 8 * line(2) + 90 * line(10) + 900 * line(100) + 30 * line(1000),
  );
  rmSync(path);
});

test("what was logged is on the disk before the checkpoint is named", async () => {
  const modelDir = join(root, String(made++));
  const order: string[] = [];
  const open = new Map<number, string>();
  const fs = await import("node:fs");
  const short = (path: unknown) => String(path).slice(modelDir.length + 1);
  const restore = replaceFileCalls({
    openSync: ((path: string, ...rest: [string]) => {
      const descriptor = fs.openSync(path, ...rest);
      open.set(descriptor, short(path));
      return descriptor;
    }) as typeof fs.openSync,
    fsyncSync: (descriptor) => {
      fs.fsyncSync(descriptor);
      order.push(`fsync ${open.get(descriptor)}`);
    },
    renameSync: (from, to) => {
      fs.renameSync(from, to);
      order.push(`rename ${short(to)}`);
    },
  });
  try {
    await toyTrainer({
      modelDir,
      checkpoint: { steps: 3 },
      loop: { numSteps: 3 },
      logging: { logSteps: 1, logLevel: "silent" },
      loggers: [new CSVLogger(), new JSONLLogger(), new TensorBoardLogger()],
    }).fit(toyTrain());
  } finally {
    restore();
  }
  const named = order.findIndex((each) => each.startsWith("rename checkpoints/checkpoint_3"));
  for (const [, name] of Object.values(files)) {
    const at = order.indexOf(`fsync ${name}`);
    expect(at, name).toBeGreaterThanOrEqual(0);
    expect(at, name).toBeLessThan(named);
  }
});
