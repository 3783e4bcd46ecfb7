// A sweep's runs on other machines, for `seedgrad sweep --queue`: what connects the command to queue and store while it follows them.
import { basename, resolve } from "node:path";
import { readText } from "#files";
import { CheckpointError, ConfigError } from "../core/errors.ts";
import { drawSeed } from "../rng/stream.ts";
import { readManifest } from "../run/manifest.ts";
import { isRunName, jobsOf } from "../sweep/job.ts";
import type { RunStatus } from "../sweep/local.ts";
import { nameOfRun, type SweepPlan } from "../sweep/plan.ts";
import { connectQueue, JobQueue } from "../sweep/queue.ts";
import { QueuedSweep } from "../sweep/queued.ts";
import { replicate } from "../sweep/replicas.ts";
import { StoredRun } from "../sweep/snapshots.ts";
import type { Store } from "../sweep/store.ts";
import { openStore } from "../sweep/stores.ts";
import { parseConfig } from "../train/config/parse.ts";
import { addMissing, attestationsFile } from "../verify/attestation.ts";
import { messages, type Outcome } from "./command.ts";
import { untilStopped } from "./signals.ts";

/** Runs of a plan that are being made, wherever. */
export interface RunsInWork {
  /** Where, and how many at once. */
  readonly where: string;
  statuses(): RunStatus[];
  /** How many are made at once now. */
  atOnce(): number;
  run(options: { readonly changed: (status: RunStatus) => void; readonly signal: AbortSignal }): Promise<boolean>;
}

/** The flags that have runs replayed by others. */
export interface ReplicaFlags {
  readonly replicas?: number;
  readonly share?: number;
  /** Of the draw that says which runs; left out: a new one. */
  readonly shareSeed?: bigint;
  readonly replaySteps?: number;
}

/** Has `body` follow a plan's runs in a queue, and then others replay them, if that is wanted. Throws ConfigError where queue or store can't be used. */
export function overQueue(
  plan: SweepPlan,
  address: string,
  given: ReplicaFlags & StoreFlag,
  signal: AbortSignal,
  body: (runs: RunsInWork) => Promise<Outcome>,
): Promise<Outcome> {
  return connected(address, given, async (queue, store) => {
    const sweep = new QueuedSweep(plan, queue, store);
    const outcome = await body({
      where: `made by the runners of ${address}, fetched from ${store.where}`,
      statuses: () => sweep.statuses(),
      atOnce: () => Math.max(1, sweep.statuses().filter(({ state }) => state === "running").length),
      run: (options) => sweep.run(options),
    });
    if (given.replicas === undefined || outcome.code !== 0) return outcome;
    const found = await replicas(plan, { queue, store, given, signal });
    return { code: found.code, json: { ...outcome.json, ...found.json }, lines: [...outcome.lines, ...found.lines] };
  });
}

/** Has the runners of a queue replay a finished run's folder, which is put into the store if it isn't there. Exit code 1 where one found it different. Throws ConfigError where queue or store can't be used. */
export function verifyOverQueue(
  run: string,
  address: string,
  given: Pick<ReplicaFlags, "replicas" | "replaySteps"> & StoreFlag,
): Promise<Outcome> {
  const config = readText(`${run}/config.yaml`, CheckpointError);
  const own = basename(resolve(run));
  const name = isRunName(own) ? own : nameOfRun([parseConfig(config, `${run}/config.yaml`)], []);
  const plan = { runs: [{ name, config, folder: run }] };
  return untilStopped("the checks stay in the queue", (signal) =>
    connected(address, given, (queue, store) =>
      replicas(plan, { queue, store, given: { ...given, replicas: given.replicas ?? 1 }, signal }),
    ),
  );
}

/** The flag that says where runs are fetched from. */
export interface StoreFlag {
  readonly store?: string;
}

async function connected(
  address: string,
  given: StoreFlag,
  body: (queue: JobQueue, store: Store) => Promise<Outcome>,
): Promise<Outcome> {
  if (given.store === undefined) {
    throw new ConfigError({
      where: "--queue",
      problem: "runs that are made elsewhere need a place that they are fetched from",
      got: "no --store",
      expected: "--store file:FOLDER or s3://BUCKET/PREFIX, as the runners have it",
    });
  }
  const store = await openStore(given.store, process.env);
  const connection = await connectQueue(address, process.env);
  try {
    const queue = await JobQueue.open(connection);
    try {
      return await body(queue, store);
    } finally {
      await queue.close();
    }
  } finally {
    await connection.close();
  }
}

/** Runs that are replayed: each with its folder, or in that of a sweep. */
interface Replayable {
  readonly folder?: string;
  readonly runs: readonly { readonly name: string; readonly config: string; readonly folder?: string }[];
}

/** Has finished runs replayed by others, keeps what they signed in the runs' folders, and says whose runs are in doubt. Exit code 1 where a run was found different. */
async function replicas(
  { folder, runs }: Replayable,
  { queue, store, given, signal }: { queue: JobQueue; store: Store; given: ReplicaFlags; signal: AbortSignal },
): Promise<Outcome> {
  const folderOf = (run: Replayable["runs"][number]) => run.folder ?? `${folder}/${run.name}`;
  for (const run of runs) await putThere(new StoredRun(store, run.name), folderOf(run));
  const replicated = await replicate(jobsOf(runs), queue, store, {
    replicas: given.replicas!,
    share: given.share ?? 1,
    steps: given.replaySteps,
    seed: given.shareSeed ?? drawSeed(),
    say: (text) => messages.logMessage!("info", text),
    signal,
  });
  const wrong = new Set(replicated.flatMap((run) => run.wrong));
  const doubtful: { name: string; by: string[] }[] = [];
  for (const run of runs) {
    const stored = new StoredRun(store, run.name);
    addMissing(folderOf(run), await stored.statements());
    const [result] = await stored.snapshots();
    const by = [...new Set(result.parts.map((part) => part.by))].filter((each) => wrong.has(each));
    if (by.length > 0) doubtful.push({ name: run.name, by });
  }
  const confirmed = replicated.filter(({ same, different }) => same.length > 0 && different.length === 0);
  const different = replicated.filter((run) => run.different.length > 0);
  return {
    code: different.length > 0 ? 1 : 0,
    json: { replicas: replicated, wrong: [...wrong], doubtful },
    lines: [
      `${replicated.length} of ${runs.length} run${runs.length === 1 ? "" : "s"} replayed by others: ${confirmed.length} the same, ${different.length} not; what they signed is in each run's ${attestationsFile}`,
      ...different.map(({ name, settlement, wrong: found }) =>
        settlement
          ? `${name}: ${settlement.what} of step ${settlement.step}: ${found.length > 0 ? `wrong on ${found.join(", ")}` : "nobody was found wrong"}`
          : `${name}: found different, and nobody could be asked`,
      ),
      ...doubtful.map(({ name, by }) => `${name} is in doubt: made in part by ${by.join(", ")}, found wrong`),
    ],
  };
}

/** Puts a run that was made elsewhere than by a runner into the store, unless it is there. Throws CheckpointError for one that isn't finished, ReproError where the store has it with another digest. */
async function putThere(stored: StoredRun, folder: string): Promise<void> {
  const { status, result } = readManifest(`${folder}/manifest.json`);
  if (status !== "finished" || !result)
    throw new CheckpointError({ where: folder, problem: "the run isn't finished", got: status, expected: "finished" });
  if ((await stored.digest()) === result.digest) return;
  await stored.finish(folder, { turn: 0, id: `here-${drawSeed().toString(36)}` }, result.digest);
}
