// Training and programs in a worker thread of Node: the bits, the events and the errors of the same work in the thread itself.
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { build } from "esbuild";
import { afterAll, beforeAll, expect, test } from "vitest";
import * as seedgrad from "../../src/index.ts";
import type { ProgramModule, TrainingModule } from "../../src/worker/index.ts";
import { root } from "../support/sources.ts";
import { batch, programModule, trainingModule } from "./modules.ts";

const exec = promisify(execFile);
const urlOf = (text: string) => `data:text/javascript,${encodeURIComponent(text)}`;
const imported = async <F>(text: string): Promise<F> => (await import(urlOf(text))).default;

const folder = mkdtempSync(join(tmpdir(), "seedgrad-worker-"));

beforeAll(async () => {
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"), "dir");
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
  const entry = (path: string) => join(root, path);
  await build({
    entryPoints: {
      index: entry("src/worker/index.ts"),
      "worker-entry": entry("src/worker/worker-entry.ts"),
      errors: entry("src/core/errors.ts"),
      modules: entry("test/worker/modules.ts"),
    },
    bundle: true,
    splitting: true,
    packages: "external",
    platform: "node",
    format: "esm",
    outdir: folder,
    logLevel: "silent",
  });
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Runs a script beside the compiled library, and gives what it logs. In it, `told(error)` is an error as JSON. */
async function inNode(script: string): Promise<unknown> {
  const prelude = `
    import { startProgram, startTraining } from "./index.js";
    import * as errors from "./errors.js";
    const told = (error) => ({ is: error.constructor === errors[error.name], name: error.name, message: error.message, ...error });
    const log = (value) => console.log(JSON.stringify(value, (key, item) => (typeof item === "bigint" ? String(item) : item)));`;
  const { stdout } = await exec(process.execPath, ["--input-type=module", "-e", `${prelude}\n${script}`], {
    cwd: folder,
  });
  return JSON.parse(stdout.trim().split("\n").at(-1)!);
}

async function trainHere(options: { steps: number; validationSplit?: number }): Promise<seedgrad.Run> {
  const make = await imported<TrainingModule<typeof options>>(trainingModule);
  const { trainer, train } = await make(seedgrad, options);
  return new seedgrad.Trainer({ ...trainer, loggers: [], threads: 1 }).fit(train);
}

test("a Trainer of a module: the same digest, and the page is told of progress, numbers and messages", async () => {
  const here = await trainHere({ steps: 12 });
  const { run, events } = (await inNode(`
    const training = startTraining({ module: ${JSON.stringify(urlOf(trainingModule))}, options: { steps: 12 }, threads: 2 });
    const events = {};
    for (const name of ["progress", "metrics", "message"]) training.on(name, (event) => (events[name] ??= []).push(event));
    const silent = training.on("metrics", () => { throw new Error("called though it was taken back"); });
    silent();
    log({ run: await training, events });
  `)) as { run: seedgrad.Run; events: Record<string, Record<string, unknown>[]> };
  expect([run.digest, run.graphHash, run.steps, run.threads]).toEqual([here.digest, here.graphHash, 12, 2]);
  expect(run.history).toEqual(JSON.parse(JSON.stringify(here.history)));
  expect(events.progress.at(-1)).toMatchObject({
    step: 12,
    totalSteps: 12,
    epoch: 2,
    loss: here.loss,
    learningRate: 0.01,
  });
  expect(events.progress.at(-1)!.draws).toBe(here.streamPosition);
  expect(events.metrics.map(({ step }) => step)).toEqual(Array.from({ length: 12 }, (_, i) => i + 1));
});

test("without validation data of its own it validates on what its training loader sets aside, as a fit here does", async () => {
  const options = { steps: 6, validationSplit: 0.25 };
  const here = await trainHere(options);
  const there = (await inNode(`
    log(await startTraining({ module: ${JSON.stringify(urlOf(trainingModule))}, options: ${JSON.stringify(options)}, threads: 1 }));
  `)) as seedgrad.Run;
  expect(here.metrics).toHaveProperty("loss");
  expect([there.digest, there.metrics]).toEqual([here.digest, here.metrics]);
});

test("stopped, it ends after a whole step, as InterruptedError; terminated, as BackendError", async () => {
  const outcome = await inNode(`
    const start = () => startTraining({ module: ${JSON.stringify(urlOf(trainingModule))}, options: { steps: 1e6 } });
    const [one, two] = [start(), start()];
    one.on("progress", () => one.stop());
    two.on("progress", () => two.terminate());
    log(await Promise.all([one, two].map((each) => each.then(() => "finished", told))));
  `);
  expect(outcome).toEqual([
    expect.objectContaining({ is: true, name: "InterruptedError", step: expect.any(Number) }),
    expect.objectContaining({ is: true, name: "BackendError", where: "worker", got: "it was terminated" }),
  ]);
});

test("what is wrong in the worker is told by the same class, with its fields", async () => {
  const outcome = (await inNode(`
    const failing = (job) => { try { return startTraining(job).then(() => "finished", told); } catch (error) { return told(error); } };
    const module = ${JSON.stringify(urlOf(trainingModule))};
    log(await Promise.all([
      failing({ config: "trainer:\\n  init:\\n    sed: 1\\n", name: "mine.yaml" }),
      failing({ config: { trainer: { init: { model: { name: "mlp", sizes: [2, 2] } } } } }),
      failing({ module, options: { steps: 2, bad: true } }),
      failing({ module: "data:text/javascript,export default 5" }),
      failing({ module: "./nowhere.js" }),
      failing({ module, config: "" }),
      failing({}),
      failing({ module, options: { steps: 2 }, backend: "wasn" }),
      failing({ module, options: { steps: 2 }, files: { "data/x": new Uint8Array(3) } }),
      failing({ module, options: { steps: 2 }, keepFiles: true }),
      failing({ module, options: { steps: 2 }, thread: 2 }),
    ]));
  `)) as { is: boolean; name: string; message: string; position?: object }[];
  expect(outcome.map(({ name, message }) => `${name}: ${message.split("\n")[0]}`)).toEqual([
    expect.stringMatching(/^ConfigError: mine\.yaml:3:5: /),
    expect.stringMatching(/^ConfigError: config: trainer\.fit: a required key is missing/),
    expect.stringMatching(/^ShapeError: /),
    expect.stringMatching(/^ConfigError: data:.*the module's default export isn't a function: got 5/),
    expect.stringMatching(/^ConfigError: worker: not a URL/),
    expect.stringMatching(/^ConfigError: startTraining: both a config and a module/),
    expect.stringMatching(/^ConfigError: startTraining: nothing to train/),
    expect.stringMatching(/^BackendError: backend: unknown backend/),
    expect.stringMatching(/^DataError: data\/x: files aren't given in memory/),
    expect.stringMatching(/^DataError: runs: the folder is on the disk/),
    expect.stringMatching(/^ConfigError: startTraining/),
  ]);
  expect(outcome.every(({ is }) => is)).toBe(true);
  expect(outcome[0].position).toEqual({ file: "mine.yaml", line: 3, column: 5 });
});

test("a program: its functions by name, batches whose memory goes over, results as host arrays, the same bits", async () => {
  const make = await imported<ProgramModule<{ seed: number }>>(programModule);
  const functions = (await make(seedgrad, { seed: 7 })) as Record<string, (...args: unknown[]) => unknown>;
  const { x, y } = batch();
  const losses: number[] = [];
  for (let i = 0; i < 5; i++) losses.push(await ((await functions.step(x, y)) as seedgrad.Tensor).item());
  const { all } = functions.weights() as { all: seedgrad.Tensor[] };
  const outcome = (await inNode(`
    import { batch } from "./modules.js";
    const program = startProgram(${JSON.stringify(urlOf(programModule))}, { options: { seed: 7 }, threads: 2 });
    const losses = [];
    let gone;
    for (let i = 0; i < 5; i++) {
      const { x, y } = batch();
      losses.push((await program.call("step", [x, y], [x.data.buffer, y.data.buffer])).data[0]);
      gone = [x.data.length, y.data.length];
    }
    const { all } = await program.call("weights");
    const failed = [await program.call("fails").catch(told), await program.call("stepp").catch(told), await program.call(3).catch(told)];
    const names = await program.ready;
    const late = program.call("weights").catch(told);
    program.close();
    log({ losses, gone, all: all.map(({ data, shape, dtype }) => [[...data], shape, dtype]), failed, names, late: [await late, await program.call("weights").catch(told)] });
  `)) as Record<string, unknown[]>;
  expect(outcome.losses).toEqual(losses);
  expect(outcome.gone).toEqual([0, 0]);
  expect(outcome.all).toEqual(
    await Promise.all(all.map(async (tensor) => [[...(await tensor.data())], tensor.shape, tensor.dtype])),
  );
  expect(outcome.names).toEqual(["step", "weights", "fails"]);
  expect(outcome.failed).toEqual([
    expect.objectContaining({ is: true, name: "ShapeError" }),
    expect.objectContaining({ is: true, name: "ConfigError", hint: "did you mean step?" }),
    expect.objectContaining({ is: true, name: "ConfigError" }),
  ]);
  for (const error of outcome.late)
    expect(error).toMatchObject({ is: true, name: "BackendError", got: "it was closed" });
});

test("what can't go over, what is gone and what a module gives in place of functions is told, and no order stays without its answer", async () => {
  const outcome = (await inNode(`
    const urlOf = (text) => "data:text/javascript," + encodeURIComponent(text);
    const program = startProgram(urlOf(\`export default ({ ConfigError, nn, zeros }) => ({
      result: () => () => 1, map: () => ({ all: new Map([["w", [zeros([2])]]]) }), layer: () => [nn.linear(1, 1)],
      plain: () => new Map([["w", new Set([1])]]), length: (x) => x.length, number: 3,
      fails: () => { throw Object.assign(new ConfigError({ where: "x", problem: "y" }), { own: () => 1 }); },
    })\`));
    const memory = new Float32Array(4);
    const first = await program.call("length", [memory], [memory.buffer]);
    const calls = [
      program.call("length", [memory], [memory.buffer]), program.call("length", [memory]), program.call("length", [() => 1]),
      program.call("result"), program.call("number"), program.call("fails"), program.call("map"), program.call("layer"),
      startProgram(urlOf("export default () => {}")).ready, startTraining({ module: urlOf("export default () => {}") }),
    ];
    log({ first, errors: await Promise.all(calls.map((call) => call.then(() => "nothing", told))), last: await program.call("length", ["ab"]), plain: (await program.call("plain")).get("w").has(1) });
    program.close();
  `)) as { first: number; errors: { is: boolean; name: string; message: string }[]; last: number; plain: boolean };
  expect([outcome.first, outcome.last, outcome.plain]).toEqual([4, 2, true]);
  expect(outcome.errors.map(({ is, name, message }) => `${is} ${name}: ${message.split("\n")[0]}`)).toEqual([
    expect.stringMatching(
      /^true ConfigError: worker: what is asked of it: memory in `transfer` went to another thread/,
    ),
    expect.stringMatching(/^true ConfigError: worker: what is asked of it can't go to another thread: got .*detached/),
    expect.stringMatching(/^true ConfigError: worker: what is asked of it can't go to another thread: got .*clone/),
    expect.stringMatching(/^true ConfigError: worker: the result can't go to another thread/),
    expect.stringMatching(/^true ConfigError: call: what the module gives by this name is no function: got number: 3/),
    "true ConfigError: x: y",
    expect.stringMatching(
      /^true ConfigError: worker: a tensor of the result is in what can't go .*: got Map, expected/,
    ),
    expect.stringMatching(/^true ConfigError: worker: a tensor of the result is in what can't go .*: got Linear, exp/),
    expect.stringMatching(/: the module's function gives something else: got undefined, expected functions/),
    expect.stringMatching(/: the module's function gives something else: got undefined, expected what is trained/),
  ]);
});

test("a worker in which something that is no error is thrown has ended", async () => {
  const ended = (thrown: string) =>
    inNode(`
      const module = "export default () => ({ f: () => new Promise(() => setTimeout(() => { throw ${thrown}; })) })";
      log(await startProgram("data:text/javascript," + encodeURIComponent(module)).call("f").catch(told));
    `);
  for (const thrown of ["'a text'", "null"])
    expect(await ended(thrown)).toMatchObject({
      is: true,
      name: "BackendError",
      got: `it threw ${thrown.replaceAll("'", "")}`,
    });
});

test("a config as records: a seed of 64 bits and Infinity are what they are", async () => {
  const { seeds, refused } = (await inNode(`
    const config = (seed, learning_rate) => ({ trainer: {
      init: { seed, loggers: [], model: { name: "heat_pinn", hidden: [4] }, optimizer: { SGD: { learning_rate } }, loop: { num_steps: 1 }, backend: "wasm" },
      fit: { train_dataloader: { name: "heat_equation", samples: 8, seed: 1, batch_size: 8 } },
    } });
    const seeds = [];
    for (const seed of [2n ** 53n + 1n, 2n ** 64n - 1n])
      seeds.push((await startTraining({ config: config(seed, 0.1), overrides: { modelDir: "runs/" + seed }, threads: 1 })).seed);
    log({ seeds, refused: await startTraining({ config: config(1, Infinity) }).then(() => "nothing", told) });
  `)) as { seeds: string[]; refused: object };
  expect(seeds).toEqual([String(2n ** 53n + 1n), String(2n ** 64n - 1n)]);
  expect(refused).toMatchObject({ name: "ConfigError", got: "Infinity" });
});
