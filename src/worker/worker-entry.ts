// What runs in the worker: it takes orders from the page, one after another, and answers each. The library is imported by the order that needs it.

import { mountedFiles, mountFiles } from "#files";
import { listen, post } from "#port";
import { ConfigError, didYouMean, showValue } from "../core/errors.ts";
import type { Finding } from "../program/probe.ts";
import type { Verification } from "../run/verification.ts";
import { mountGiven } from "./arrival.ts";
import { failureOf } from "./failures.ts";
import { buffersOf, onHost } from "./hosted.ts";
import type { Comparison } from "./judging.ts";
import type { FromWorker, ModuleOrder, Order, ToWorker } from "./messages.ts";
import type { ProgramModule, TrainingModule } from "./modules.ts";
import { send } from "./sending.ts";
import type { WorkerRun } from "./training.ts";

type Functions = Awaited<ReturnType<ProgramModule>>;

const stopping = new AbortController();
let functions: Functions = {};

const tell = (message: FromWorker, transfer: readonly Transferable[] = []) => post(message, transfer);

/** The default export of a page's module. Throws ConfigError where it isn't a function. */
async function moduleFunction<F>({ module }: ModuleOrder): Promise<F> {
  const { default: made } = await import(/* @vite-ignore */ /* webpackIgnore: true */ module);
  if (typeof made === "function") return made as F;
  throw new ConfigError({
    where: module,
    problem: "the module's default export isn't a function",
    got: showValue(made),
    expected: "a function of the library and the options",
    hint: "export default (seedgrad, options) => ({ … })",
  });
}

/** What a module's function gave. Throws ConfigError unless it is a record. */
function givenBy<T extends object>({ module }: ModuleOrder, given: T, expected: string): T {
  if (typeof given === "object" && given !== null) return given;
  throw new ConfigError({
    where: module,
    problem: "the module's function gives something else",
    got: showValue(given),
    expected,
  });
}

async function train({
  from,
  backend,
  threads,
  files,
  keepFiles,
}: Extract<Order, { order: "train" }>): Promise<WorkerRun> {
  if (keepFiles || Object.keys(files).length > 0) await mountGiven(files);
  // Where they are on a disk it throws, before anything is trained.
  if (keepFiles) mountedFiles("runs");
  const [library, { PageReporter }] = await Promise.all([import("../index.ts"), import("./reporter.ts")]);
  const reporter = new PageReporter((event) => tell({ event }));
  const changes = { threads, ...(backend !== undefined && { backend }) };
  const { signal } = stopping;
  let run: WorkerRun;
  if ("module" in from) {
    const make = await moduleFunction<TrainingModule>(from);
    const parts = givenBy(from, await make(library, from.options), "what is trained: { trainer, train }");
    const loggers = [reporter, ...(parts.trainer.loggers ?? [])];
    run = await new library.Trainer({ ...parts.trainer, ...changes, loggers }).fit(parts.train, parts.val, { signal });
  } else {
    const { checkPhases, trainPhases } = await import("../train/config/phases.ts");
    const phases = library.parsePhases(from.text, from.name, from.overrides);
    checkPhases(from.name, phases);
    // A phase leaves its weights in files.
    if (phases.length > 1) mountFiles({});
    const runs = await trainPhases(phases, (config, i) => {
      if (phases.length > 1) reporter.logMessage("info", `phase ${i + 1} of ${phases.length}`);
      const loggers = [reporter, ...library.trainerOptions(config).loggers!];
      const { trainer, train, vals } = library.buildTrainer(config, { ...changes, loggers });
      return trainer.fit(train!, vals, { signal, ckptPath: config.trainer.fit!.ckptPath });
    });
    run = phases.length > 1 ? { ...runs.at(-1)!, phases: runs } : runs[0];
  }
  const folders = (run.phases ?? [run]).flatMap(({ directory }) => directory ?? []);
  if (!keepFiles || folders.length === 0) return run;
  return { ...run, files: Object.assign({}, ...folders.map(mountedFiles)) };
}

async function load({ from, backend, threads }: Extract<Order, { order: "load" }>): Promise<readonly string[]> {
  const library = await import("../engine.ts");
  await library.setDefaultBackend(await library.loadBackend(backend, { threads }));
  const make = await moduleFunction<ProgramModule>(from);
  functions = givenBy(from, await make(library, from.options), "functions by their names: { step }");
  return Object.keys(functions);
}

async function call({ name, args }: Extract<Order, { order: "call" }>): Promise<unknown> {
  const found = Object.hasOwn(functions, name) ? functions[name] : undefined;
  if (typeof found !== "function") {
    const names = Object.keys(functions).filter((key) => typeof functions[key] === "function");
    throw new ConfigError({
      where: "call",
      problem:
        found === undefined ? "the module has no such function" : "what the module gives by this name is no function",
      got: found === undefined ? showValue(name) : `${name}: ${showValue(found)}`,
      expected: names.join(", ") || "a module that gives functions",
      hint: didYouMean(name, names),
    });
  }
  const { Tensor } = await import("../engine.ts");
  return onHost(await found(...(args as never[])), Tensor);
}

async function verify({ folder, files, how }: Extract<Order, { order: "verify" }>): Promise<Verification> {
  await mountGiven(files);
  const { verifyRun } = await import("../index.ts");
  return verifyRun(folder, how);
}

async function diff({ runs, files, how }: Extract<Order, { order: "diff" }>): Promise<Comparison> {
  await mountGiven(files);
  const { diffRuns, showDiff } = await import("../index.ts");
  const found = await diffRuns(...runs, how);
  return { equal: found.equal, lines: showDiff(found) };
}

async function tryBackend({ backend }: Extract<Order, { order: "probe" }>): Promise<Finding> {
  const { findingOf, probe } = await import("../program/probe.ts");
  return findingOf(backend, (await probe("reference")).bits);
}

const carriers = { train, load, call, verify, diff, probe: tryBackend } as const;

async function carryOut(id: number, order: Order): Promise<void> {
  try {
    const value = await carriers[order.order](order as never);
    const transfer = buffersOf(value);
    send("the result", transfer, () => tell({ id, value }, transfer));
  } catch (error) {
    tell({ id, failure: failureOf(error) });
  }
}

let before: Promise<void> = Promise.resolve();
listen((message) => {
  const told = message as ToWorker;
  if ("stop" in told) stopping.abort();
  else before = before.then(() => carryOut(told.id, told.order));
});
