// A sweep's runs on other machines, for `seedgrad sweep --queue`: what connects the command to queue and store while it follows them.
import { ConfigError } from "../core/errors.ts";
import type { RunStatus } from "../sweep/local.ts";
import type { SweepPlan } from "../sweep/plan.ts";
import { connectQueue, JobQueue } from "../sweep/queue.ts";
import { QueuedSweep } from "../sweep/queued.ts";
import { openStore } from "../sweep/stores.ts";
import type { Outcome } from "./command.ts";

/** Runs of a plan that are being made, wherever. */
export interface RunsInWork {
  /** Where, and how many at once. */
  readonly where: string;
  statuses(): RunStatus[];
  /** How many are made at once now. */
  atOnce(): number;
  run(options: { readonly changed: (status: RunStatus) => void; readonly signal: AbortSignal }): Promise<boolean>;
}

/** Has `body` follow a plan's runs in a queue. Throws ConfigError where queue or store can't be used. */
export async function overQueue(
  plan: SweepPlan,
  address: string,
  given: { readonly store?: string },
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
      return await body({
        where: `by the runners of ${address}, into ${store.where}`,
        statuses: () => sweep.statuses(),
        atOnce: () => Math.max(1, sweep.statuses().filter(({ state }) => state === "running").length),
        run: (options) => sweep.run(options),
      });
    } finally {
      await queue.close();
    }
  } finally {
    await connection.close();
  }
}
