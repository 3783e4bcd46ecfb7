import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test, vi } from "vitest";
import { frame } from "../../src/io/events.ts";
import type { Logger } from "../../src/train/contract.ts";
import { CSVLogger } from "../../src/train/loggers/csv.ts";
import { JSONLLogger } from "../../src/train/loggers/jsonl.ts";
import { ProgressLogger } from "../../src/train/loggers/progress.ts";
import { TensorBoardLogger } from "../../src/train/loggers/tensorboard.ts";
import type { Trainer } from "../../src/train/trainer.ts";
import { root as sources } from "../support/sources.ts";
import { toyTest, toyTrain, toyTrainer } from "../support/toy.ts";

const root = mkdtempSync(join(tmpdir(), "seedgrad-loggers-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

let made = 0;
/** A logger in a folder of its own. */
const placed = <L extends Logger>(logger: L): { logger: L; modelDir: string; at: (step: number) => void } => {
  const modelDir = join(root, String(made++));
  logger.postSetup?.({ options: { modelDir } } as Trainer);
  return {
    logger,
    modelDir,
    at: (step) => {
      void logger.onTrainStart?.({
        trainer: { step } as Trainer,
        totalSteps: 9,
        stepsPerEpoch: 9,
        loader: toyTrain(),
        validations: [],
      });
    },
  };
};

describe("CSVLogger", () => {
  test("a line a number, names quoted, cut back to a step with what was cut off", () => {
    const { logger, modelDir, at } = placed(new CSVLogger());
    const text = () => readFileSync(join(modelDir, "metrics.csv"), "utf8");
    logger.logMetrics({ loss: 0.5, 'a,"b"': Number.NaN }, 3);
    logger.logMetrics({ loss: 0.1 }, 10);
    expect(text()).toBe('step,name,value\n3,loss,0.5\n3,"a,""b""",NaN\n10,loss,0.1\n');
    at(9);
    expect(text()).toBe('step,name,value\n3,loss,0.5\n3,"a,""b""",NaN\n');
    at(0);
    expect(text()).toBe("step,name,value\n");
  });
});

describe("JSONLLogger", () => {
  test("an object a line; numbers that JSON lacks as text; cut back", () => {
    const { logger, modelDir, at } = placed(new JSONLLogger());
    const text = () => readFileSync(join(modelDir, "metrics.jsonl"), "utf8");
    logger.logMetrics({ loss: 0.5, norm: Infinity }, 3);
    logger.logMetrics({ loss: 0.1 }, 10);
    expect(text()).toBe('{"step":3,"loss":0.5,"norm":"Infinity"}\n{"step":10,"loss":0.1}\n');
    at(3);
    expect(text()).toBe('{"step":3,"loss":0.5,"norm":"Infinity"}\n');
  });
});

describe("TensorBoardLogger", () => {
  const events = (modelDir: string) => {
    const bytes = readFileSync(join(modelDir, "events.out.tfevents.0000000000.seedgrad"));
    const found: Buffer[] = [];
    for (let at = 0; at < bytes.length; at += 16 + found[found.length - 1].length) {
      found.push(bytes.subarray(at + 12, at + 12 + Number(bytes.readBigUInt64LE(at))));
    }
    return found;
  };

  test("a frame: the length, its masked CRC-32C, the data, theirs", () => {
    // The checksums are from a bitwise CRC-32C in Python, masked as TFRecord says: rotated right by 15, plus 0xa282ead8.
    const bytes = Buffer.from(frame(new TextEncoder().encode("Hello")));
    expect(bytes.readBigUInt64LE(0)).toBe(5n);
    expect(bytes.subarray(12, 17).toString()).toBe("Hello");
    expect(bytes.readUInt32LE(8)).toBe(0x3e04b2ea);
    expect(bytes.readUInt32LE(17)).toBe(0xbeb9ee8a);
    expect(bytes).toHaveLength(21);
  });

  test("the version first, then a summary for each call: step, tag, float32 value; cut back", () => {
    const { logger, modelDir, at } = placed(new TensorBoardLogger());
    logger.logMetrics({ loss: 0.5, val_loss: 2 }, 300);
    logger.logMetrics({ loss: 0.25 }, 301);
    const [version, first, second] = events(modelDir);
    expect(version.subarray(9).toString("latin1")).toBe("\x1a\x0dbrain.Event:2");
    // Field 2 (step) as a varint: 300 = 0xac 0x02.
    expect([...first.subarray(9, 12)]).toEqual([16, 0xac, 0x02]);
    expect(first.includes(Buffer.from([0x0a, 4, ...Buffer.from("loss"), 0x15, 0, 0, 0, 0x3f]))).toBe(true);
    expect(first.includes(Buffer.from([0x0a, 8, ...Buffer.from("val_loss"), 0x15, 0, 0, 0, 0x40]))).toBe(true);
    expect(second).toBeDefined();
    at(300);
    expect(events(modelDir)).toEqual([version, first]);
  });
});

describe("TensorBoardLogger, read by a program in Python written from the formats' descriptions", () => {
  const parse = (modelDir: string) =>
    spawnSync(
      "python3",
      [`${sources}test/support/read_events.py`, `${modelDir}/events.out.tfevents.0000000000.seedgrad`],
      {
        encoding: "utf8",
      },
    );
  const missing = parse(root).error !== undefined;
  if (missing && process.env.CI) throw new Error("no python3 in CI");

  test.skipIf(missing)("a run that was stopped and resumed: checksums, steps, tags, values", async () => {
    const modelDir = join(root, "run");
    const logged: [number, Record<string, number>][] = [];
    const spy: Logger = {
      logMetrics(metrics, step) {
        const values = Object.entries(metrics).map(([name, value]) => [name, Math.fround(value)]);
        logged.push([step, Object.fromEntries(values)]);
      },
      onTrainBatchEnd({ step }) {
        if (step === 4 && logged.filter(([at]) => at === 4).length === 2) throw new Error("stop");
      },
    };
    const run = () =>
      toyTrainer({
        modelDir,
        checkpoint: { steps: 3 },
        loop: { numSteps: 132, evalFrequency: 4 },
        logging: { logSteps: 1, logLevel: "silent" },
        loggers: [new TensorBoardLogger(), spy],
      }).fit(toyTrain(), toyTest());
    await expect(run()).rejects.toThrow(/stop/);
    logged.splice(0, logged.length, ...logged.filter(([step]) => step <= 3), [4, {}]);
    await run();
    const { stdout, stderr, status } = parse(modelDir);
    expect([status, stderr]).toEqual([0, ""]);
    expect(JSON.parse(stdout)).toEqual(logged.filter(([, scalars]) => Object.keys(scalars).length > 0));
    const bytes = readFileSync(join(modelDir, "events.out.tfevents.0000000000.seedgrad"));
    bytes[100] ^= 1;
    const damaged = join(root, "damaged");
    mkdirSync(damaged);
    writeFileSync(join(damaged, "events.out.tfevents.0000000000.seedgrad"), bytes);
    expect(parse(damaged).stderr).toMatch(/checksum/);
  });
});

describe("ProgressLogger", () => {
  // A pseudo-terminal of 100 columns; what is written to it comes out on stdout.
  const script = `import fcntl, os, pty, struct, sys, termios
pid, terminal = pty.fork()
if pid == 0:
    os.execvp(sys.argv[1], sys.argv[1:])
fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 100, 0, 0))
output = b""
while True:
    try:
        part = os.read(terminal, 65536)
    except OSError:
        break
    if not part:
        break
    output += part
sys.stdout.buffer.write(output)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))`;
  const missing = spawnSync("python3", ["-c", "import pty"]).status !== 0;
  if (missing && process.env.CI) throw new Error("no python3 in CI");

  test.skipIf(missing)(
    "a bar on a terminal: step, epoch, loss, rate, time left; validations above it; it ends whole",
    () => {
      const program = join(root, "bar.mts");
      writeFileSync(
        program,
        `import { ProgressLogger } from "${sources}src/train/loggers/progress.ts";
import { toyTest, toyTrain, toyTrainer } from "${sources}test/support/toy.ts";
const pause = { onTrainBatchStart: () => new Promise((resolve) => setTimeout(resolve, 60)) };
await toyTrainer({ loggers: [new ProgressLogger()], callbacks: [pause], logging: { logLevel: "info" }, loop: { numSteps: 8, evalFrequency: "epoch" } }).fit(toyTrain(), toyTest());`,
      );
      const { stdout, status } = spawnSync("python3", ["-c", script, process.execPath, "--import", "tsx", program], {
        encoding: "utf8",
        cwd: sources,
        env: { ...process.env, TERM: "xterm" },
      });
      expect(status).toBe(0);
      expect(stdout).toContain("\u001b[");
      expect(stdout).toMatch(/[█░]{10} step [2-6]\/8 \| epoch [12] \| loss \d\.\d+ \| \d+ samples\/s \| \d+s left/);
      expect(stdout).toMatch(/█{10} step 8\/8 \| epoch 2 \| loss \S+ \| \d+ samples\/s \| 0s left/);
      expect(stdout).toMatch(/step 4 \| val_loss \S+ \| val_accuracy \S+/);
    },
  );

  test("plain lines where there is no terminal: steps, validation, messages", async () => {
    const lines: string[] = [];
    const write = vi.spyOn(process.stderr, "write").mockImplementation((text) => lines.push(String(text)) > 0);
    const terminal = process.stderr.isTTY;
    process.stderr.isTTY = false;
    try {
      await toyTrainer({
        seed: null,
        loggers: [new ProgressLogger()],
        logging: { logLevel: "warn" },
        loop: { numSteps: 4, evalFrequency: "end" },
      }).fit(toyTrain(), toyTest());
    } finally {
      write.mockRestore();
      process.stderr.isTTY = terminal;
    }
    expect(lines[0]).toMatch(/^no seed was given, so one was drawn: \d+/);
    expect(lines.slice(1, 4).join("")).toMatch(/^step 1\/4 \| epoch 1 \| loss \S+ \| \d+ samples\/s \| \S+ left\n/);
    expect(lines[4]).toMatch(/^step 4 \| val_loss \S+ \| val_accuracy \S+\n$/);
    expect(lines[5]).toMatch(/^step 4\/4 /);
    expect(lines[6]).toMatch(/^waited for data: \d+\.\d % of the steps' time\n$/);
  });
});
