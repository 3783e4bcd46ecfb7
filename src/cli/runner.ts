// `seedgrad runner --queue redis://… --store …`: makes the runs that a queue holds, until it is stopped. What it makes is in the store whenever a checkpoint is whole, and nowhere else for long.
import { InvalidArgumentError } from "commander";
import type { Threads } from "../backend/load.ts";
import type { VectorWidth } from "../backend/wasm/width.ts";
import { numericsId } from "../core/numerics.ts";
import { drawSeed } from "../rng/stream.ts";
import type { CheckOrder } from "../sweep/check.ts";
import { makeCheck } from "../sweep/checking.ts";
import { removeFolder, scratchFolder } from "../sweep/folders.node.ts";
import { makeRun } from "../sweep/making.ts";
import { connectQueue, defaultLease, JobQueue, takeJobs } from "../sweep/queue.ts";
import { openStore } from "../sweep/stores.ts";
import { readKeys } from "../verify/keys.ts";
import { startsChecks, startsJobs } from "./child.ts";
import { messages, type Outcome } from "./command.ts";
import { importPrograms } from "./imports.ts";
import { untilStopped } from "./signals.ts";

/** The flags of `runner`. */
export interface RunnerFlags {
  readonly queue: string;
  readonly store: string;
  readonly concurrency?: number;
  readonly lease?: number;
  /** What the runner is called: a part of its id, which is drawn. */
  readonly name?: string;
  /** The file of keys that checks of others' runs are signed with. */
  readonly keys?: string;
  readonly import?: readonly string[];
  readonly backend?: string;
  readonly threads?: Threads;
  readonly vectorWidth?: VectorWidth;
  readonly json?: boolean;
}

/** A runner's name: what is signed, and the names of files in the store, hold it. */
export function parseRunnerName(text: string): string {
  if (/^[A-Za-z0-9]([A-Za-z0-9-]{0,30}[A-Za-z0-9])?$/.test(text)) return text;
  throw new InvalidArgumentError("expected at most 32 letters and digits, with - between them");
}

/** Makes runs until SIGINT, SIGTERM or SIGHUP; a second SIGINT or SIGTERM ends it at once. Throws ConfigError where queue or store can't be used. */
export async function runner({
  queue,
  store: address,
  concurrency = 1,
  lease = defaultLease,
  name = "runner",
  keys: keyFile,
  import: imports = [],
  backend,
  threads,
  vectorWidth,
}: RunnerFlags): Promise<Outcome> {
  // A program that can't be imported would fail each job that it is given.
  await importPrograms(imports);
  const keys = keyFile === undefined ? undefined : readKeys(keyFile);
  const store = await openStore(address, process.env);
  const connection = await connectQueue(queue, process.env);
  const id = `${name}-${drawSeed().toString(36)}`;
  const jobs = await JobQueue.open(connection);
  const scratch = scratchFolder();
  const given = { imports, backend, threads, vectorWidth };
  const start = startsJobs(given);
  const say = (text: string) => messages.logMessage!("info", text);
  let made = 0;
  try {
    const taker = await takeJobs(connection, {
      id,
      concurrency,
      lease,
      say,
      async make(job, turn, progress, signal) {
        const ending = await makeRun(job, {
          store,
          writer: { turn, id, ...(keys && { key: keys.publicKey }) },
          scratch,
          start,
          progress,
          say: (text) => say(`${job.name}: ${text}`),
          signal,
        });
        if (ending.type === "finished") {
          made++;
          say(`${job.name}: finished, digest ${ending.digest}`);
        }
        return ending;
      },
      ...(keys && {
        async check(order: CheckOrder, check: string, signal: AbortSignal) {
          say(`${check}: begins`);
          return makeCheck(order, check, { store, queue: jobs, keys, scratch, start: startsChecks(given), signal });
        },
      }),
    });
    say(`runner ${id} takes runs from ${queue} into ${store.where}; numerics ${numericsId}`);
    await untilStopped(
      "saving what is being made, for others to go on with",
      (signal) => new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve())),
    );
    await taker.close();
  } finally {
    await jobs.close();
    await connection.close();
    removeFolder(scratch);
  }
  return { code: 0, json: { runner: id, made }, lines: [`${made} run${made === 1 ? "" : "s"} finished`] };
}
