// `--neighbour`: what another process that never rests costs, on a machine whose cores are all in use. Rounds without and with it take turns, so
// that whatever else the machine does falls on both.
import { type ChildProcess, spawn } from "node:child_process";
import type { Case, Contestant, Entrant } from "./harness.ts";
import { summarize } from "./statistics.ts";

/** A process that can be set to work and to rest. */
export interface Neighbour {
  work(): void;
  rest(): void;
  end(): void;
}

/** Starts a process that spins on one core; it rests at first. */
export function startNeighbour(): Neighbour {
  const child: ChildProcess = spawn(process.execPath, ["-e", "for (;;);"], { stdio: "ignore" });
  child.kill("SIGSTOP");
  return {
    work: () => void child.kill("SIGCONT"),
    rest: () => void child.kill("SIGSTOP"),
    end: () => void child.kill("SIGKILL"),
  };
}

/** A case's times in ms, alone and beside the neighbour. */
export interface Cost {
  readonly name: string;
  readonly backend: string;
  readonly threads: number;
  readonly alone: readonly number[];
  readonly beside: readonly number[];
}

/** Rounds where the command line doesn't say. */
const defaultRounds = 20;
/** A round should see several of the operating system's time slices, in ms. */
const roundLength = 150;

/** Measures a case on one contestant, a round alone and a round beside the neighbour in turns. */
export async function measureCost(
  subject: Case,
  { name, threads, prepare }: Contestant,
  neighbour: Neighbour,
  rounds = defaultRounds,
): Promise<Cost> {
  const entrant = await prepare(subject);
  if ("cannot" in entrant) throw new Error(entrant.cannot);
  try {
    await entrant.sample(subject.warmup);
    const calls = Math.ceil(roundLength / (await entrant.sample(subject.calls)));
    const [alone, beside]: [number[], number[]] = [[], []];
    for (let round = 0; round < rounds; round++) {
      alone.push(await entrant.sample(calls));
      beside.push(await besideOf(entrant, neighbour, calls));
    }
    return { name: subject.name, backend: name, threads, alone, beside };
  } finally {
    await entrant.dispose();
  }
}

async function besideOf(entrant: Entrant, neighbour: Neighbour, calls: number): Promise<number> {
  neighbour.work();
  try {
    // Off the clock: threads are moved to other cores once.
    await entrant.sample(Math.ceil(calls / 4));
    return await entrant.sample(calls);
  } finally {
    neighbour.rest();
  }
}

const widths = [24, 8, 7, 20, 20, 18] as const;
const cells = (texts: readonly string[]) =>
  texts.map((text, i) => (i < 2 ? text.padEnd(widths[i]) : text.padStart(widths[i]))).join("  ");

export const costHeader = cells([
  "case",
  "backend",
  "threads",
  "alone ms (min)",
  "beside ms (min)",
  "cost (of minima)",
]);

/** A row: medians and, in brackets, minima; the cost is the time beside the neighbour ÷ the time alone. */
export function costLine({ name, backend, threads, alone, beside }: Cost): string {
  const [a, b] = [summarize(alone), summarize(beside)];
  const both = (median: number, minimum: number) => `${median.toPrecision(3)} (${minimum.toPrecision(3)})`;
  const cost = `${(b.median / a.median).toFixed(2)} × (${(b.minimum / a.minimum).toFixed(2)})`;
  return cells([name, backend, String(threads), both(a.median, a.minimum), both(b.median, b.minimum), cost]);
}
