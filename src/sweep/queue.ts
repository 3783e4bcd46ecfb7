// The queue of jobs on Redis, by BullMQ: what it holds, and how a machine takes from it. A job's id is its run's name, so that a job which is put there twice is there once. Who took a job says every
// so often that it lives; where it falls silent the job is another's.
import type { Job as BullJob, JobsOptions, Queue, Worker } from "bullmq";
import type { Redis } from "ioredis";
import { ConfigError, ReproError } from "../core/errors.ts";
import { now } from "../runtime/clock.ts";
import { type CheckEnding, type CheckOrder, checkOrder } from "./check.ts";
import { checkJob, type Job } from "./job.ts";
import { type Ending, type JobProgress, lost } from "./making.ts";
import { peer } from "./peers.ts";
import { type Environment, refusePassword } from "./store.ts";

/** What the queue keeps of a run beside its job. */
export type QueuedProgress = JobProgress | { readonly refusedBy: string; readonly why: string };

/** What a finished job leaves. */
export interface QueuedResult {
  readonly digest: string;
  /** The runner's id. */
  readonly by: string;
}

type Entry = BullJob<Job, QueuedResult>;
type CheckEntry = BullJob<CheckOrder, Answer>;

/** What a check comes to: what was asked for, as plain data. */
export interface Answer {
  readonly value: unknown;
  /** The runner's id. */
  readonly by: string;
}

/** The queue that all take checks from is the jobs' own; what one runner alone is asked for is in a queue of its own. */
const ownQueue = (id: string): string => `${queueName}-${id}`;

const queueName = "runs";
const prefix = "seedgrad";
/** Accidents after which a job isn't tried again: a crashed process, a store that can't be reached. */
const attempts = 10;
/** Milliseconds before the second attempt; before each later one twice as many. */
const backoff = { type: "exponential", delay: 500 } as const;
/** Seconds that Redis keeps what a check came to: what is signed of it lies in the store. */
const keptFor = 86_400;
/** Deaths of a runner in the midst of one job, after which the job counts as their cause. */
const deaths = 20;
/** Milliseconds after which a job that one machine can't do is there for others again, or one that was stopped. */
const leftFor = 1_000;
/** Seconds before a machine that couldn't do a job tries whether it can now. */
const refusedFor = 30;
/** Milliseconds that Redis may take to answer first. */
const patience = 5_000;

/** Seconds without a sign of life after which a runner's job is another's, unless it is said otherwise. */
export const defaultLease = 30;

const entryId = (name: string): string => `run-${name}`;

/** A connection to Redis, and what it was made with. */
export interface QueueConnection {
  readonly address: string;
  readonly client: Redis;
  close(): Promise<void>;
}

/** Connects to `redis://HOST:PORT/DATABASE`; REDIS_USERNAME and REDIS_PASSWORD of the environment say who one is. Throws ConfigError where bullmq or ioredis isn't installed, and where no Redis answers, or it refuses. */
export async function connectQueue(address: string, environment: Environment): Promise<QueueConnection> {
  refusePassword("queue", address);
  if (!/^rediss?:\/\/[^/]+(\/\d+)?$/.test(address)) {
    throw new ConfigError({
      where: "queue",
      problem: "not the address of a Redis",
      got: address,
      expected: "redis://HOST:PORT/DATABASE, or rediss:// over TLS",
    });
  }
  const { Redis } = await peer("queue", import("ioredis"));
  const client = new Redis(address, {
    username: environment.REDIS_USERNAME || undefined,
    password: environment.REDIS_PASSWORD || undefined,
    // A Redis that goes away comes back: whoever waits for it waits.
    maxRetriesPerRequest: null,
    retryStrategy: (times: number) => Math.min(50 * times, 1_000),
    lazyConnect: true,
  });
  let timer: NodeJS.Timeout | undefined;
  try {
    const failed = new Promise<never>((_, reject) => {
      // Later ones are waited out.
      client.on("error", reject);
      timer = setTimeout(() => reject(new Error(`no answer in ${patience / 1000} s`)), patience);
    });
    await Promise.race([client.ping(), failed]);
  } catch (cause) {
    client.disconnect();
    throw new ConfigError({
      where: "queue",
      problem: `the Redis at ${address} can't be used`,
      got: (cause as Error).message,
      hint: /NOAUTH|WRONGPASS|AUTH/.test((cause as Error).message)
        ? "user and password are given as REDIS_USERNAME and REDIS_PASSWORD in the environment"
        : "is it running there, and does it let this machine in? redis-server --appendonly yes starts one",
      cause,
    });
  } finally {
    clearTimeout(timer);
  }
  return { address, client, close: async () => void (await client.quit().catch(() => client.disconnect())) };
}

/** What a job is in the queue. */
export type QueuedState = "waiting" | "active" | "finished" | "failed" | "absent";

/** A job as the queue has it. */
export interface QueuedRun {
  readonly state: QueuedState;
  readonly progress?: QueuedProgress;
  readonly result?: QueuedResult;
  /** Of a failed one. */
  readonly why?: string;
}

/** The queue as whoever puts jobs there sees it. */
export class JobQueue {
  readonly #queue: Queue<Job, QueuedResult>;
  readonly #client: Redis;

  private constructor(queue: Queue<Job, QueuedResult>, client: Redis) {
    this.#queue = queue;
    this.#client = client;
  }

  static async open({ client }: QueueConnection): Promise<JobQueue> {
    const { Queue } = await peer("queue", import("bullmq"));
    const queue = new Queue<Job, QueuedResult>(queueName, { connection: client, prefix, skipVersionCheck: true });
    // Told by what is asked of it, or over when Redis is back.
    queue.on("error", () => {});
    return new JobQueue(queue as Queue<Job, QueuedResult>, client);
  }

  /** Puts jobs there that aren't; a job that failed, or that is finished though the store has lost its result, is put there anew. */
  async add(jobs: readonly Job[]): Promise<void> {
    for (const job of jobs) {
      const there = (await this.#queue.getJob(entryId(job.name))) as Entry | undefined;
      if (there && ((await there.isFailed()) || (await there.isCompleted()))) await there.remove();
    }
    const opts: JobsOptions = { attempts, backoff };
    await this.#queue.addBulk(
      jobs.map((job) => ({ name: "run", data: job, opts: { ...opts, jobId: entryId(job.name) } })) as never,
    );
  }

  /** What the queue says of a run. */
  async look(name: string): Promise<QueuedRun> {
    // The state first: what the entry says is then of that state, or later.
    const state = await this.#queue.getJobState(entryId(name));
    const entry = (await this.#queue.getJob(entryId(name))) as Entry | undefined;
    if (!entry) return { state: "absent" };
    const progress = typeof entry.progress === "object" ? (entry.progress as QueuedProgress) : undefined;
    if (state === "completed") return { state: "finished", progress, result: entry.returnvalue };
    if (state === "failed") return { state: "failed", progress, why: entry.failedReason };
    return { state: state === "active" ? "active" : "waiting", progress };
  }

  /** Has a check made, by the runner `by` alone or by whoever takes it, and gives what it comes to. Asked for again, it is made once. Throws ReproError where it failed, or isn't made in time. */
  async check(id: string, order: CheckOrder, { by, signal, seconds }: Asking): Promise<Answer> {
    const { Queue } = await peer("queue", import("bullmq"));
    const options = { connection: this.#client, prefix, skipVersionCheck: true };
    const queue = by === undefined ? this.#queue : new Queue(ownQueue(by), options);
    try {
      const failed = (await queue.getJob(id)) as CheckEntry | undefined;
      if (await failed?.isFailed()) await failed!.remove();
      const opts: JobsOptions = {
        jobId: id,
        attempts,
        backoff,
        removeOnComplete: { age: keptFor },
        removeOnFail: { age: keptFor },
      };
      await queue.add("check" as never, order as never, opts);
      for (const since = now(); !signal.aborted && (seconds === undefined || now() - since < seconds); ) {
        const state = await queue.getJobState(id);
        const entry = (await queue.getJob(id)) as CheckEntry | undefined;
        if (state === "completed" && entry) return entry.returnvalue;
        if (state === "failed" && entry)
          throw new ReproError({ where: id, problem: "the check failed", got: entry.failedReason });
        await new Promise((resolve) => setTimeout(resolve, askEvery));
      }
      throw new ReproError({
        where: id,
        problem: "nobody has made the check",
        got: signal.aborted ? "stopped" : `${seconds} s passed`,
      });
    } finally {
      if (by !== undefined) await queue.close();
    }
  }

  /** The ids of the runners that are there. */
  async runners(): Promise<string[]> {
    const clients = await this.#queue.getWorkers();
    return [...new Set(clients.flatMap(({ rawname }) => /:w:(.+)$/.exec(rawname ?? "")?.[1] ?? []))];
  }

  /** Calls `heard` with a run's name whenever something becomes of it, as long as Redis is there to tell; returns what ends that. */
  async listen(heard: (name: string) => void): Promise<() => Promise<void>> {
    const { QueueEvents } = await peer("queue", import("bullmq"));
    const events = new QueueEvents(queueName, { connection: this.#client, prefix, skipVersionCheck: true });
    events.on("error", () => {});
    const told = ({ jobId }: { jobId: string }) => heard(jobId.slice(entryId("").length));
    for (const name of ["active", "progress", "completed", "failed", "waiting", "delayed"] as const)
      events.on(name, told);
    await events.waitUntilReady();
    return () => events.close();
  }

  async close(): Promise<void> {
    await this.#queue.close();
  }
}

/** How a check is asked for. */
export interface Asking {
  readonly by?: string;
  readonly signal: AbortSignal;
  readonly seconds?: number;
}

/** Milliseconds between two looks whether a check is made. */
const askEvery = 200;

/** How jobs are taken. */
export interface Taking {
  readonly id: string;
  readonly concurrency: number;
  /** Seconds. */
  readonly lease: number;
  /** Makes a job's run; `turn` grows each time that a job is given to somebody. */
  readonly make: (
    job: Job,
    turn: number,
    progress: (progress: JobProgress) => void,
    signal: AbortSignal,
  ) => Promise<Ending>;
  /** Makes a check; left out, checks are left for others. */
  readonly check?: (order: CheckOrder, id: string, signal: AbortSignal) => Promise<CheckEnding>;
  readonly say: (text: string) => void;
}

/** Takes jobs until it is closed. */
export interface Taker {
  /** Takes no more, has what is being made saved and ended, and gives it back. */
  close(): Promise<void>;
}

/** Begins to take jobs, and checks. */
export async function takeJobs(connection: QueueConnection, taking: Taking): Promise<Taker> {
  const { client } = connection;
  const bull = await peer("queue", import("bullmq"));
  const { id, concurrency, lease, make, check, say } = taking;
  const queue = await JobQueue.open(connection);
  const making = new Map<string, AbortController>();
  const closing = new AbortController();

  const leave = async (entry: BullJob, token: string | undefined): Promise<never> => {
    await entry.moveToDelayed(Date.now() + leftFor, token);
    throw new bull.DelayedError();
  };

  const refusals = new Map<string, { readonly why: string; readonly until: number }>();
  const refuse = (entry: BullJob, what: string, why: string) => {
    if (refusals.get(entry.id!)?.why !== why) say(`${what}: left for others: ${why}`);
    refusals.set(entry.id!, { why, until: now() + refusedFor });
    void entry.updateProgress({ refusedBy: id, why }).catch(() => {});
  };

  /** Has `body` do what an entry asks for, under a signal that is aborted where it is another's now, or this runner stops. */
  const taken = async (
    entry: BullJob,
    token: string | undefined,
    what: string,
    body: (signal: AbortSignal) => Promise<Ending | CheckEnding>,
  ): Promise<QueuedResult | Answer> => {
    const refusal = refusals.get(entry.id!);
    if (refusal && now() < refusal.until) return await leave(entry, token);
    const control = new AbortController();
    making.set(entry.id!, control);
    try {
      const ending = await body(AbortSignal.any([control.signal, closing.signal]));
      if (ending.type === "finished") return { digest: ending.digest, by: id };
      if (ending.type === "done") return { value: ending.value, by: id };
      if (ending.type === "failed") throw new bull.UnrecoverableError(`${ending.error.name}: ${ending.error.message}`);
      if (control.signal.aborted) throw new bull.DelayedError();
      if (ending.type === "crashed") throw new Error(ending.how);
      if (ending.type === "unfit") refuse(entry, what, ending.why);
      return await leave(entry, token);
    } finally {
      making.delete(entry.id!);
    }
  };

  const takeRun = (entry: Entry, token?: string) => {
    const job = checkJob(`queue: ${entry.id}`, entry.data);
    const progress = (value: JobProgress) => void entry.updateProgress(value as object).catch(() => {});
    return taken(entry, token, job.name, (signal) => make(job, entry.attemptsStarted, progress, signal));
  };
  const takeCheck = async (entry: CheckEntry, token?: string) => {
    const order = checkOrder(`queue: ${entry.id}`, entry.data);
    const others = (await queue.runners()).filter((each) => !order.except.includes(each));
    if (order.except.includes(id) && others.length > 0) return await leave(entry, token);
    return taken(entry, token, entry.id!, async (signal): Promise<CheckEnding> => {
      return check
        ? check(order, entry.id!, signal)
        : { type: "unfit", why: "it has no keys to sign with: --keys FILE" };
    });
  };
  const take = (entry: BullJob, token?: string) =>
    entry.name === "check" ? takeCheck(entry as CheckEntry, token) : takeRun(entry as Entry, token);

  const options = {
    connection: client,
    prefix,
    lockDuration: lease * 1_000,
    stalledInterval: lease * 1_000,
    maxStalledCount: deaths,
    runRetryDelay: 500,
    skipVersionCheck: true,
  };
  const workers: Worker[] = [
    new bull.Worker(queueName, take as never, { ...options, name: id, concurrency }),
    ...(check ? [new bull.Worker(ownQueue(id), take as never, options)] : []),
  ];
  let away = false;
  for (const worker of workers) {
    worker.on("lockRenewalFailed", (ids: string[]) => {
      for (const each of ids) making.get(each)?.abort(lost);
    });
    worker.on("error", (error: Error) => {
      if (!away && /ECONNREFUSED|ECONNRESET|Connection is closed/.test(error.message))
        say(`Redis doesn't answer (${error.message}): what is being made goes on`);
      away = true;
    });
    worker.on("failed", (entry, error: Error) => say(`${entry?.data.name ?? entry?.id ?? "a job"}: ${error.message}`));
  }
  client.on("ready", () => {
    if (away) say("Redis answers again");
    away = false;
  });
  for (const worker of workers) await worker.waitUntilReady();
  return {
    async close() {
      closing.abort("stopped");
      for (const worker of workers) await worker.close();
      await queue.close();
    },
  };
}
