// Runs of a sweep that others replay: so many of them, none of those who made the run where there are others, a share of the runs that nobody can know before. Where one finds another thing than the run
// says, a third machine settles with the two whose step is wrong, and all that the wrong one made is marked.
import { fillWords } from "../rng/draws.ts";
import type { Attestation, Statement } from "../verify/attestation.ts";
import type { Settlement } from "../verify/settle.ts";
import type { CheckOrder, CheckTask, Part } from "./check.ts";
import type { Job } from "./job.ts";
import type { Answer, JobQueue } from "./queue.ts";
import { StoredRun } from "./snapshots.ts";
import type { Store } from "./store.ts";

/** How runs are replayed. */
export interface ReplicaOptions {
  /** Machines that replay a run. */
  readonly replicas: number;
  /** The part of the runs that is replayed, in (0, 1]. */
  readonly share: number;
  /** So many steps of each, from a checkpoint that the machine draws; left out: all. */
  readonly steps?: number;
  /** What the share is drawn by: kept secret until then. */
  readonly seed: bigint;
  readonly say: (text: string) => void;
  readonly signal: AbortSignal;
}

/** What became of a run that was replayed. */
export interface Replicated {
  readonly name: string;
  readonly parts: readonly Part[];
  /** By the runners' ids. */
  readonly same: readonly string[];
  readonly different: readonly string[];
  /** Of a run that somebody found different. */
  readonly settlement?: Settlement;
  /** Ids of those who were found wrong. */
  readonly wrong: readonly string[];
}

/** Has a share of the runs replayed, each as often as is wanted. Throws ReproError where a check failed. */
export async function replicate(
  jobs: readonly Job[],
  queue: JobQueue,
  store: Store,
  options: ReplicaOptions,
): Promise<Replicated[]> {
  const chosen = jobs.filter((_, i) => drawn(options.seed, i) < options.share);
  return Promise.all(chosen.map((job) => replicateRun(job, queue, store, options)));
}

/** Uniform on [0, 1), by one draw for each run. */
function drawn(seed: bigint, index: number): number {
  const word = new Uint32Array(1);
  fillWords(seed, index, word);
  return word[0] / 2 ** 32;
}

async function replicateRun(
  job: Job,
  queue: JobQueue,
  store: Store,
  { replicas, steps, say, signal }: ReplicaOptions,
): Promise<Replicated> {
  const [result] = await new StoredRun(store, job.name).snapshots();
  const { parts, digest } = result;
  const except = parts.map(({ by }) => by);
  const same: string[] = [];
  const different: string[] = [];
  const ask = (id: string, task: CheckTask): Promise<Answer> => {
    const order: CheckOrder = { format: 1, job, task, except: [...except] };
    return queue.check(`${id}-${job.name}-${digest!.slice(-64, -48)}`, order, { signal });
  };
  for (let i = 1; i <= replicas; i++) {
    const { value, by } = await ask(`replay-${i}-${steps ?? "all"}`, {
      type: "replay",
      ...(steps !== undefined && { steps }),
    });
    const statement = value as Attestation & Statement;
    except.push(by);
    if (statement.verdict !== "different") {
      same.push(by);
      say(`${job.name}: ${by} replayed steps ${statement.from + 1} to ${statement.to}: the same`);
      continue;
    }
    different.push(by);
    say(
      `${job.name}: ${by} found another thing: step ${statement.firstDifference ?? statement.to}: ${statement.difference}`,
    );
    const step = statement.firstDifference ?? statement.to;
    const maker = [...parts].reverse().find(({ from }) => from < step)!;
    if (maker.key === undefined) {
      say(`${job.name}: ${maker.by}, who made it, has no keys, and nothing can be asked of it`);
      continue;
    }
    const sides = [
      { by: maker.by, key: maker.key },
      { by, key: statement.key },
    ];
    const from = Math.max(statement.from, maker.from);
    const settled = (await ask(`settle-${i}`, { type: "settle", step, from, sides })).value as Settlement;
    const wrong = sides.filter(({ key }) => settled.wrong.includes(key)).map((side) => side.by);
    say(
      `${job.name}: step ${settled.step}, ${settled.what}: ${wrong.length > 0 ? `${wrong.join(" and ")} ${wrong.length > 1 ? "are" : "is"} wrong: ${settled.why.join("; ")}` : "nobody could be found wrong"}`,
    );
    return { name: job.name, parts, same, different, settlement: settled, wrong };
  }
  return { name: job.name, parts, same, different, wrong: [] };
}
