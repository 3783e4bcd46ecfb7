// The bench's rules. Counts are fixed a case, never fitted to the clock, so that a training step's bits can be compared. Contestants are
// warmed up, then take turns, round after round, so that a slow moment of the machine falls on all of them; who begins moves on each round.
// A time is the mean of a round's calls; the median and the minimum of the rounds count. Results are read, and their bits hashed, off the clock.
import type { Backend } from "../src/index.ts";
import { type Absence, lessIsBetter, type Row, type Unit } from "./results.ts";
import { summarize } from "./statistics.ts";
import type { Workload } from "./workloads.ts";

/** What does a case's work, ready to go. */
export interface Runner {
  /** Does the work once. Left out where `time` does. */
  run?(): unknown;
  /** The same, saying itself how many ms it took: where the harness's clock would see more than is meant. */
  time?(): Promise<number>;
  /** The bits of what the last run computed; empty where it computes nothing that could be compared. */
  bits(): string | Promise<string>;
  dispose?(): void | Promise<void>;
}

/** What bounds a case, measured in the same rounds on one thread. */
export interface Ceiling {
  readonly subject: Case;
  /** What a call of the case comes to in the ceiling's own unit of work. */
  readonly work: number;
  /** Whether n threads can reach n times as much. */
  readonly perThread: boolean;
}

/** One thing to measure. */
export interface Case {
  readonly name: string;
  /** What is measured, in a few words, for the reports. */
  readonly about: string;
  readonly unit: Unit;
  /** Operations, elements or bytes a call, as the unit says; left out for ms and kB. */
  readonly work?: number;
  readonly rounds: number;
  readonly calls: number;
  /** Calls before the first round. */
  readonly warmup: number;
  /** Whether each call goes on from the last, as a training step does: its bits are those after `settled` calls, the same number for all. */
  readonly stateful?: boolean;
  /** Whether it is small enough for interpreters. */
  readonly small?: boolean;
  /** What peers are given; without it they aren't asked. */
  readonly workload?: Workload;
  /** Fewest threads it makes sense with. */
  readonly minimumThreads?: number;
  /** Rows say which share of it they reach. */
  readonly ceiling?: Ceiling;
  /** `host`: done once, on no backend. */
  readonly place: "backend" | "host";
  /** `backend` is left out where the place is `host`. */
  prepare(backend: Backend): Promise<Runner>;
}

/** Calls after which a stateful case's bits are taken. */
export const settled = 5;

/** A case in a contestant's hands. */
export interface Entrant {
  /** Runs so often; gives the mean time of a call in ms. */
  sample(calls: number): Promise<number>;
  bits(): Promise<string>;
  dispose(): Promise<void>;
}

/** Who takes part: a backend with its threads, or a peer in a process of its own. */
export interface Contestant {
  readonly name: string;
  readonly threads: number;
  readonly peer?: string;
  /** Whether it takes seconds for what others do in milliseconds: it gets fewer rounds, and small cases only. */
  readonly slow: boolean;
  /** Ms that its threads need to fall asleep before the next one's turn. */
  readonly rest: number;
  /** Gets ready, or says why it can't. */
  prepare(subject: Case): Promise<Entrant | { readonly cannot: string }>;
}

export interface MeasureOptions {
  /** Rounds instead of the case's own. */
  readonly rounds?: number;
  readonly pause?: (ms: number) => Promise<void>;
}

export interface Measured {
  readonly rows: Row[];
  readonly absent: Absence[];
  /** What must never be: a backend of seedgrad that fails, or whose bits differ from the first one's or from its own before. */
  readonly wrong: string[];
}

/** Times calls of a runner: what an entrant in this process is. `now` in ms. */
export function localEntrant(runner: Runner, now: () => number = () => performance.now()): Entrant {
  return {
    async sample(calls) {
      if (runner.time) {
        let sum = 0;
        for (let i = 0; i < calls; i++) sum += await runner.time();
        return sum / calls;
      }
      const start = now();
      for (let i = 0; i < calls; i++) {
        const pending = runner.run!();
        if (pending instanceof Promise) await pending;
      }
      return (now() - start) / calls;
    },
    bits: async () => runner.bits(),
    dispose: async () => runner.dispose?.(),
  };
}

const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** Who does what needs no backend. */
export const hostContestant: Contestant = {
  name: "host",
  threads: 1,
  slow: false,
  rest: 0,
  prepare: async (subject) => localEntrant(await subject.prepare(undefined as unknown as Backend)),
};

/** Rounds and calls of a slow contestant. */
const slowCounts = { rounds: 3, calls: 1, warmup: 1 };

/** How long a peer may take over a case, in ms, before it is counted as slow: its bits are held to nothing, so its counts needn't be fixed. */
const peerLimit = 8000;

async function isLong({ rounds, calls, warmup }: Case, entrant: Entrant): Promise<boolean> {
  return (await entrant.sample(1)) * (warmup + rounds * (calls + 1)) > peerLimit;
}

/** How long several threads run off the clock before their turn, in ms: after a rest an operating system may keep them on one core for that long. */
const threadsSettle = 80;

/** Calls off the clock: whoever ran before has left the caches to itself. */
async function settle({ contestant, counts, entrant }: Lane): Promise<void> {
  const until = performance.now() + (contestant.threads > 1 ? threadsSettle : 0);
  if (counts.calls < 100 || contestant.threads > 1) await entrant.sample(1);
  while (performance.now() < until) await entrant.sample(1);
}

interface Lane {
  readonly subject: Case;
  readonly contestant: Contestant;
  readonly entrant: Entrant;
  /** Whether it gets the counts of slow ones. */
  readonly slow: boolean;
  readonly counts: { readonly rounds: number; readonly calls: number };
  readonly times: number[];
  bits: string;
}

/** Measures a case on all contestants that can do it, interleaved. An entrant that fails on the way is left out with its reason. */
export async function measure(
  subject: Case,
  contestants: readonly Contestant[],
  { rounds: wished, pause = sleep }: MeasureOptions = {},
): Promise<Measured> {
  const absent: Absence[] = [];
  const wrong: string[] = [];
  const lanes: Lane[] = [];
  const give = ({ name, threads, peer }: Contestant, reason: string) => {
    absent.push({ case: subject.name, backend: name, reason });
    if (peer === undefined) wrong.push(`${name}, threads ${threads}: ${reason}`);
  };

  const enter = async (subject: Case, contestant: Contestant): Promise<Lane | undefined> => {
    try {
      const entrant = await contestant.prepare(subject);
      if ("cannot" in entrant) {
        give(contestant, entrant.cannot);
        return undefined;
      }
      const first = subject.stateful ? settled : 1;
      await entrant.sample(first);
      const bits = await entrant.bits();
      const slow = contestant.slow || (contestant.peer !== undefined && (await isLong(subject, entrant)));
      const { rounds, calls, warmup } = slow ? slowCounts : subject;
      if (warmup > first) await entrant.sample(warmup - first);
      return { subject, contestant, entrant, slow, counts: { rounds: wished ?? rounds, calls }, times: [], bits };
    } catch (error) {
      give(contestant, (error as Error).message);
      return undefined;
    }
  };
  for (const contestant of contestants) {
    const lane = await enter(subject, contestant);
    if (lane) lanes.push(lane);
  }
  const ceiling = subject.ceiling && (await enter(subject.ceiling.subject, hostContestant));
  const all = ceiling ? [...lanes, ceiling] : lanes;

  const most = Math.max(0, ...all.map(({ counts }) => counts.rounds));
  for (let round = 0; round < most; round++) {
    for (let turn = 0; turn < all.length; turn++) {
      const lane = all[(round + turn) % all.length];
      if (round >= lane.counts.rounds || Number.isNaN(lane.times[0])) continue;
      try {
        if (all.length > 1 && !lane.slow) await settle(lane);
        lane.times.push(await lane.entrant.sample(lane.counts.calls));
      } catch (error) {
        give(lane.contestant, (error as Error).message);
        lane.times.splice(0, lane.times.length, Number.NaN);
      }
      if (all.length > 1 && lane.contestant.rest > 0) await pause(lane.contestant.rest);
    }
  }

  const finished = lanes.filter(({ times }) => times.length > 0 && !Number.isNaN(times[0]));
  const ours = finished.filter(({ contestant, bits }) => contestant.peer === undefined && bits !== "");
  const named = ({ contestant: { name, threads } }: Lane) => `${name}, threads ${threads}`;
  for (const lane of finished) {
    if (!subject.stateful && lane.contestant.peer === undefined && (await lane.entrant.bits()) !== lane.bits)
      wrong.push(`${named(lane)}: the last run's bits are not the first run's`);
  }
  for (const lane of ours.slice(1))
    if (lane.bits !== ours[0].bits) wrong.push(`${named(lane)}: other bits than ${named(ours[0])}`);
  for (const { entrant } of all) await entrant.dispose().catch(() => undefined);
  return { rows: finished.map((lane) => rowOf(lane, ceiling)), absent, wrong };
}

function rowOf({ subject, contestant, times, counts, bits }: Lane, ceiling: Lane | undefined): Row {
  const { median, minimum, quartiles } = summarize(times);
  const rate = lessIsBetter(subject.unit) ? median : (subject.work ?? 0) / median / 1e6;
  const own = contestant.peer === undefined && !contestant.slow;
  const share = ceiling && own ? shareOf(subject.ceiling!, contestant.threads, median, ceiling) : undefined;
  return {
    case: subject.name,
    backend: contestant.name,
    threads: contestant.threads,
    median_ms: round4(median),
    min_ms: round4(minimum),
    quartiles_ms: [round4(quartiles[0]), round4(quartiles[1])],
    rate: round4(rate),
    unit: subject.unit,
    bits,
    rounds: times.length,
    calls: counts.calls,
    ...(contestant.peer !== undefined && { peer: contestant.peer }),
    ...(share !== undefined && { share: round4(share), ceiling: subject.ceiling!.subject.name }),
  };
}

function shareOf({ work, perThread }: Ceiling, threads: number, median: number, { subject, times }: Lane): number {
  const reachable = (subject.work! / summarize(times).median) * (perThread ? threads : 1);
  return work / median / reachable;
}

const round4 = (value: number) => Number(value.toPrecision(4));
