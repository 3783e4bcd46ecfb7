// Laws 1 to 5 and 10 on whole runs, of an MLP and of a transformer: whatever is done beside the training, or to the machine under it, there is
// one digest a run.
import { execFile } from "node:child_process";
import { mkdirSync, readFileSync, symlinkSync } from "node:fs";
import { relative } from "node:path";
import { promisify } from "node:util";
import { afterEach, describe, expect, test, vi } from "vitest";
import { TrainingError } from "../../src/core/errors.ts";
import * as callback from "../../src/train/callbacks/index.ts";
import type { Callback, Logger, TrainerOptions } from "../../src/train/contract.ts";
import { CSVLogger } from "../../src/train/loggers/csv.ts";
import { JSONLLogger } from "../../src/train/loggers/jsonl.ts";
import { ProgressLogger } from "../../src/train/loggers/progress.ts";
import { ReportLogger } from "../../src/train/loggers/report.ts";
import { TensorBoardLogger } from "../../src/train/loggers/tensorboard.ts";
import type { Run } from "../../src/train/run.ts";
import { script } from "../support/cli.ts";
import { temporaryFolder } from "../support/folder.ts";
import { cnnRun, shortRuns } from "../support/runs.ts";

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

describe.each(Object.entries(shortRuns))("%s: one digest", (_, { steps, trainer, train, validation }) => {
  let once: Promise<Run> | undefined;
  /** The run on `reference`, with nothing beside it. */
  const plain = () => {
    once ??= trainer({ backend: "reference", threads: undefined }).fit(train());
    return once;
  };
  const same = async (run: Run, what: string) => {
    const { digest, graphHash, loss } = await plain();
    expect([run.digest, run.graphHash, run.loss], what).toEqual([digest, graphHash, loss]);
  };
  const check = async (what: string, changes: Partial<TrainerOptions>, watched = false) =>
    same(await trainer(changes).fit(train(), watched ? validation() : undefined), what);

  test("another seed is another run", async () => {
    expect((await trainer({ seed: 12 }).fit(train())).digest).not.toBe((await plain()).digest);
  });

  test.each(["wasm", "gpujs:webasm", "gpujs:cpu"])("on %s", async (backend) => {
    await check(backend, { backend, loop: { numSteps: steps } });
  });

  test("on 1 to 8 threads", async () => {
    for (const threads of [1, 2, 3, 8]) await check(`${threads} threads`, { threads });
  });

  test("summaries, norms, profiles and checks on or off", async () => {
    const logged = new Set<string>();
    const observers: (Callback & Pick<Logger, "logMetrics">)[] = [
      new callback.ComputeNorm({ perLayer: true }),
      new callback.CountParams(),
      new callback.DurationProfiler(),
      new callback.LogOptimizerParamGroup(),
      new callback.ModelSummary(),
      new callback.NaNChecker(),
      new callback.RateProfiler(),
      new callback.SanityValidation({ steps: 1 }),
      {
        logMetrics(metrics: object) {
          for (const key of Object.keys(metrics)) logged.add(key);
        },
      },
    ];
    const run = await trainer({
      callbacks: observers,
      logging: { logSteps: 1, logLevel: "silent" },
      loop: { numSteps: steps, evalFrequency: "end" },
    }).fit(train(), validation());
    await same(run, "watched");
    expect(logged.size).toBeGreaterThan(8);
  });

  test("logging on or off", async () => {
    const modelDir = temporaryFolder();
    const lines: string[] = [];
    vi.spyOn(process.stderr, "write").mockImplementation((line) => lines.push(String(line)) > 0);
    await check("all loggers, at each step", {
      modelDir,
      logging: { logSteps: 1, logLevel: "debug" },
      loggers: [new ProgressLogger(), new CSVLogger(), new JSONLLogger(), new TensorBoardLogger(), new ReportLogger()],
    });
    expect(lines.join("")).toContain(`step ${steps}/${steps}`);
    expect(readFileSync(`${modelDir}/metrics.csv`, "utf8")).toContain(`\n${steps},loss,`);
  });

  test("validation on or off, at any frequency", async () => {
    const shown: number[] = [];
    for (const evalFrequency of [1, 2, 0.5, "epoch", "end"] as const) {
      const run = await trainer({ loop: { numSteps: steps, evalFrequency } }).fit(train(), validation());
      await same(run, `evalFrequency ${evalFrequency}`);
      shown.push(run.metrics.loss);
    }
    expect(new Set(shown).size).toBe(1);
  });

  test("checkpoints of any cadence, in a folder anywhere", async () => {
    const elsewhere = temporaryFolder();
    mkdirSync(`${elsewhere}/a folder with spaces, ü and 🐋`);
    symlinkSync(`${elsewhere}/a folder with spaces, ü and 🐋`, `${elsewhere}/link`);
    const folders = [
      `${elsewhere}/a folder with spaces, ü and 🐋/1`,
      `${elsewhere}/link/2`,
      relative("", `${elsewhere}/3`),
    ];
    const cadences = [{ steps: 1 }, { steps: 5, saveInitialCheckpoint: true, keep: 1 }, null] as const;
    for (const [i, modelDir] of folders.entries()) await check(`${modelDir}`, { modelDir, checkpoint: cadences[i] });
  });

  test("stopped after a step and resumed", async () => {
    // The first, one in the middle, of the transformer the last of an epoch, and the last but one.
    for (const at of [1, 5, steps - 1].filter((step, i, all) => step < steps && all.indexOf(step) === i)) {
      const options: Partial<TrainerOptions> = {
        modelDir: temporaryFolder(),
        checkpoint: { steps: 1 },
        threads: 1 + (at % 2),
        loop: { numSteps: steps, evalFrequency: 2 },
      };
      const stop = {
        onTrainBatchEnd({ step }: { step: number }) {
          if (step > at) throw new Error("stop");
        },
      };
      await expect(trainer({ ...options, callbacks: [stop] }).fit(train(), validation())).rejects.toThrow(
        TrainingError,
      );
      await same(await trainer({ ...options, threads: 1 }).fit(train(), validation()), `stopped after step ${at}`);
    }
  });

  test("Date and Math.random throw", async () => {
    const refuse = () => {
      throw new Error("the clock or chance was asked");
    };
    await plain();
    vi.spyOn(Math, "random").mockImplementation(refuse);
    vi.stubGlobal("Date", new Proxy(Date, { construct: refuse, apply: refuse, get: refuse }));
    await check("stubbed", {}, true);
  });
});

test("another process, place, time zone, language and environment: the digests of here", async () => {
  const program = `import { shortRuns } from ${JSON.stringify(script("runs"))};
    for (const { trainer, train } of Object.values(shortRuns)) {
      const { digest, graphHash } = await trainer().fit(train());
      console.log(digest, graphHash);
    }
    process.exit(0);`;
  const here: string[] = [];
  for (const { trainer, train } of Object.values(shortRuns)) {
    const { digest, graphHash } = await trainer().fit(train());
    here.push(`${digest} ${graphHash}`);
  }
  const places: { cwd: string; env: Record<string, string> }[] = [
    { cwd: "/", env: { TZ: "Pacific/Chatham", LANG: "tr_TR.UTF-8", LC_ALL: "tr_TR.UTF-8" } },
    { cwd: temporaryFolder(), env: { TZ: "America/St_Johns", LC_ALL: "C", SEED: "5", NODE_ENV: "production" } },
  ];
  const said = await Promise.all(
    places.map(({ cwd, env }) =>
      promisify(execFile)(process.execPath, ["--input-type=module", "-e", program], {
        cwd,
        env: { PATH: process.env.PATH, HOME: process.env.HOME, ...env },
      }),
    ),
  );
  expect(said.map(({ stdout }) => stdout.trim().split("\n"))).toEqual([here, here]);
});

test("a convolutional network: backends, threads, and a stop in between", async () => {
  const { steps, trainer, train } = cnnRun;
  const { digest } = await trainer({ backend: "reference", threads: undefined }).fit(train());
  for (const [backend, threads] of [["gpujs:webasm"], ["gpujs:cpu"], ["wasm", 1], ["wasm", 2], ["wasm", 5]] as const)
    expect((await trainer({ backend, threads }).fit(train())).digest, `${backend} ${threads}`).toBe(digest);
  const options = { modelDir: temporaryFolder(), checkpoint: { steps: 1 } };
  const half = await trainer({ ...options, loop: { numSteps: steps / 2 } }).fit(train());
  expect(half.digest).not.toBe(digest);
  expect((await trainer(options).fit(train())).digest).toBe(digest);
});
