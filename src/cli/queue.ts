// A sweep's runs on other machines, for `seedgrad sweep --queue`: what connects the command to queue and store while it follows them.
import { append, exists, readText } from "#files";
import { CheckpointError, ConfigError } from "../core/errors.ts";
import { drawSeed } from "../rng/stream.ts";
import { jobsOf } from "../sweep/job.ts";
import type { RunStatus } from "../sweep/local.ts";
import type { SweepPlan } from "../sweep/plan.ts";
import { connectQueue, JobQueue } from "../sweep/queue.ts";
import { QueuedSweep } from "../sweep/queued.ts";
import { replicate } from "../sweep/replicas.ts";
import { StoredRun } from "../sweep/snapshots.ts";
import type { Store } from "../sweep/store.ts";
import { openStore } from "../sweep/stores.ts";
import { attestationsFile } from "../verify/attestation.ts";
import { messages, type Outcome } from "./command.ts";

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

/** Has `body` follow a plan's runs in a queue. Throws ConfigError where queue or store can't be used. */
export async function overQueue(
  plan: SweepPlan,
  address: string,
  given: ReplicaFlags & { readonly store?: string },
  signal: AbortSignal,
  body: (runs: RunsInWork) => Promise<Outcome>,
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
      const sweep = new QueuedSweep(plan, queue, store);
      const outcome = await body({
        where: `by the runners of ${address}, into ${store.where}`,
        statuses: () => sweep.statuses(),
        atOnce: () => Math.max(1, sweep.statuses().filter(({ state }) => state === "running").length),
        run: (options) => sweep.run(options),
      });
      if (given.replicas === undefined || outcome.code !== 0) return outcome;
      return await withReplicas(outcome, plan, { queue, store, given, signal });
    } finally {
      await queue.close();
    }
  } finally {
    await connection.close();
  }
}

/** Has finished runs replayed by others, keeps what they signed in the runs' folders, and says whose runs are in doubt. Exit code 1 where a run was found different. */
async function withReplicas(
  outcome: Outcome,
  plan: SweepPlan,
  { queue, store, given, signal }: { queue: JobQueue; store: Store; given: ReplicaFlags; signal: AbortSignal },
): Promise<Outcome> {
  const replicated = await replicate(jobsOf(plan.runs), queue, store, {
    replicas: given.replicas!,
    share: given.share ?? 1,
    steps: given.replaySteps,
    seed: given.shareSeed ?? drawSeed(),
    say: (text) => messages.logMessage!("info", text),
    signal,
  });
  for (const { name } of plan.runs) addLines(`${plan.folder}/${name}`, await new StoredRun(store, name).statements());
  const wrong = new Set(replicated.flatMap((run) => run.wrong));
  const doubtful: { name: string; by: string[] }[] = [];
  for (const { name } of plan.runs) {
    const [result] = await new StoredRun(store, name).snapshots();
    const by = [...new Set(result.parts.map((part) => part.by))].filter((each) => wrong.has(each));
    if (by.length > 0) doubtful.push({ name, by });
  }
  const confirmed = replicated.filter(({ same, different }) => same.length > 0 && different.length === 0);
  const different = replicated.filter((run) => run.different.length > 0);
  return {
    code: different.length > 0 ? 1 : outcome.code,
    json: { ...outcome.json, replicas: replicated, wrong: [...wrong], doubtful },
    lines: [
      ...outcome.lines,
      `${replicated.length} of ${plan.runs.length} runs replayed by others: ${confirmed.length} the same, ${different.length} not; what they signed is in each run's attestations.jsonl`,
      ...different.map(({ name, settlement, wrong: found }) =>
        settlement
          ? `${name}: ${settlement.what} of step ${settlement.step}: ${found.length > 0 ? `wrong on ${found.join(", ")}` : "nobody was found wrong"}`
          : `${name}: found different, and nobody could be asked`,
      ),
      ...doubtful.map(({ name, by }) => `${name} is in doubt: made in part by ${by.join(", ")}, found wrong`),
    ],
  };
}

/** Adds those lines to a run's statements that aren't there. */
function addLines(folder: string, lines: readonly string[]): void {
  const path = `${folder}/${attestationsFile}`;
  const there = exists(path) ? readText(path, CheckpointError).split("\n") : [];
  const added = lines.filter((line) => !there.includes(line));
  if (added.length > 0) append(path, new TextEncoder().encode(`${added.join("\n")}\n`), { flush: true });
}
