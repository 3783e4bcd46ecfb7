// A Trainer in a worker, as its page holds it: to be awaited, listened to and stopped.
import { type Threads, threadsKind } from "../backend/load.ts";
import {
  anything,
  boolean,
  callable,
  checkArguments,
  either,
  isRecord,
  kind,
  oneOf,
  options,
  signature,
  string,
} from "../core/arguments.ts";
import { ConfigError, showValue } from "../core/errors.ts";
import type { ConfigOverrides } from "../train/config/parse.ts";
import type { Run } from "../train/run.ts";
import { absolute, type GivenFiles, givenFiles, givenKind } from "./given.ts";
import { Link } from "./link.ts";
import type { Order, TrainingEvents } from "./messages.ts";

/** What a worker is to train: a config, or what a module makes. */
export interface TrainingJob {
  /** YAML text, or the same as records and lists; of one trainer, or of several phases, which are trained one after the other. */
  readonly config?: string | Readonly<Record<string, unknown>>;
  /** What the config is called in errors; `config` unless given. */
  readonly name?: string;
  /** In place of what the config says. */
  readonly overrides?: ConfigOverrides;
  /** In place of a config: a module that the worker imports. Its default export is a `TrainingModule`; a relative URL is the page's. */
  readonly module?: URL | string;
  /** What the module's function is called with. It is copied to the worker, but for the memory in `transfer`. */
  readonly options?: unknown;
  readonly transfer?: readonly Transferable[];
  /** The backend's name, over what config or module say. */
  readonly backend?: string;
  /** As many as the machine runs at once, unless given; one where the page isn't cross-origin isolated. No bit depends on it. */
  readonly threads?: Threads;
  /** Where there is no file system: what the run reads, by the paths that it looks for. A data set's npm package is looked for at `node_modules/NAME`. */
  readonly files?: GivenFiles;
  /** Where there is no file system: the run's folder comes with the result. */
  readonly keepFiles?: boolean;
}

/** What a training in a worker came to. */
export interface WorkerRun extends Run {
  /** Of a config that lists several phases: what each came to, in their order. The rest is the last one's. */
  readonly phases?: readonly Run[];
  /** With `keepFiles`: the files of the run's folder, by their paths; of every phase's. */
  readonly files?: Readonly<Record<string, Uint8Array>>;
}

const location = either(
  string,
  kind("a URL", (value) => value instanceof URL),
);
const call = signature("startTraining", {
  job: options<TrainingJob>({
    "config?": either(string, kind("a config's text, or its records", isRecord)),
    "name?": string,
    "overrides?": kind("a record of overrides", isRecord),
    "module?": location,
    "options?": anything,
    "transfer?": kind("a list of what is transferred", Array.isArray),
    "backend?": string,
    "threads?": threadsKind,
    "files?": givenKind,
    "keepFiles?": boolean,
  }),
});
const names = ["progress", "metrics", "sample", "message"] as const satisfies readonly (keyof TrainingEvents)[];
const onCall = signature("on", { event: oneOf(names), listener: callable });

type Listeners = { [K in keyof TrainingEvents]: Set<(value: TrainingEvents[K]) => void> };

/** A training in a worker. Awaiting it gives the run; it rejects with the error that ended it, of the same class and with the same fields as in the worker. */
export class WorkerTraining implements PromiseLike<WorkerRun> {
  /** What awaiting it gives. */
  readonly finished: Promise<WorkerRun>;
  readonly #link: Link;
  readonly #listeners: Listeners = { progress: new Set(), metrics: new Set(), sample: new Set(), message: new Set() };

  /** Starts it: `startTraining` does. */
  constructor(order: Order, transfer: readonly Transferable[]) {
    this.#link = new Link(({ type, value }) => {
      for (const listener of this.#listeners[type]) (listener as (value: unknown) => void)(value);
    });
    this.finished = this.#link
      .ask(order, transfer)
      .finally(() => this.#link.end("its run is over")) as Promise<WorkerRun>;
    // Whoever only listens has no use for the rejection.
    this.finished.catch(() => {});
  }

  // biome-ignore lint/suspicious/noThenProperty: it is to be awaited
  then<A = WorkerRun, B = never>(
    fulfilled?: ((run: WorkerRun) => A | PromiseLike<A>) | null,
    rejected?: ((error: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.finished.then(fulfilled, rejected);
  }

  /** Calls the listener at each event of a name: `progress`, `metrics`, `sample`, `message`. Gives what ends that. */
  on<K extends keyof TrainingEvents>(event: K, listener: (value: TrainingEvents[K]) => void): () => void {
    checkArguments(onCall, arguments);
    const listeners = this.#listeners[event] as Set<(value: TrainingEvents[K]) => void>;
    listeners.add(listener);
    return () => void listeners.delete(listener);
  }

  /** Asks it to end after the step that it is in: it rejects with InterruptedError. */
  stop(): void {
    this.#link.stop();
  }

  /** Ends the worker at once, in the middle of a step: it rejects with BackendError. */
  terminate(): void {
    this.#link.end("it was terminated");
  }
}

/** A value of a config as YAML, which JSON is but for numbers that JSON hasn't: seeds of 64 bits, Infinity. */
function yamlOf(value: unknown): string {
  if (typeof value === "bigint") return String(value);
  if (typeof value === "number" && !Number.isFinite(value))
    return Number.isNaN(value) ? ".nan" : value > 0 ? ".inf" : "-.inf";
  if (Array.isArray(value)) return `[${value.map(yamlOf).join(",")}]`;
  if (!isRecord(value)) return JSON.stringify(value) ?? "null";
  const there = Object.entries(value).filter(([, item]) => item !== undefined);
  return `{${there.map(([key, item]) => `${JSON.stringify(key)}:${yamlOf(item)}`).join(",")}}`;
}

function sourceOf({
  config,
  name = "config",
  overrides = {},
  module,
  options,
}: TrainingJob): Extract<Order, { order: "train" }>["from"] {
  if ((config === undefined) === (module === undefined)) {
    throw new ConfigError({
      where: "startTraining",
      problem: config === undefined ? "nothing to train" : "both a config and a module",
      got: showValue({ config, module }),
      expected: "a config, or the URL of a module",
      hint: "a model made in the page can't go to a worker: make it in a module that the worker imports",
    });
  }
  return config === undefined
    ? { module: absolute(module!), options }
    : { text: typeof config === "string" ? config : yamlOf(config), name, overrides };
}

/**
 * Trains in a worker: the page's own thread stays free. `await startTraining({ config: yaml, files })` gives the run, whose digest is that of the same config
 * anywhere else. Throws ConfigError for a job that names neither config nor module.
 */
export function startTraining(job: TrainingJob): WorkerTraining {
  checkArguments(call, arguments);
  const { backend, threads = "all", files = {}, keepFiles = false, transfer = [] } = job;
  const order: Order = { order: "train", from: sourceOf(job), backend, threads, files: givenFiles(files), keepFiles };
  return new WorkerTraining(order, transfer);
}
