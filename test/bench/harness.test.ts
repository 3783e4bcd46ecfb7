// The bench's rules, on a clock that moves only when work is done.
import { describe, expect, test } from "vitest";
import { type Case, type Contestant, localEntrant, measure, settled } from "../../bench/harness.ts";
import { summarize } from "../../bench/statistics.ts";

/** A clock that work moves on, and a diary of who ran when. */
function world() {
  let now = 0;
  const diary: string[] = [];
  const contestant = (
    name: string,
    costs: readonly number[],
    options: { bits?: (runs: number) => string; slow?: boolean; peer?: string; rest?: number; failAt?: number } = {},
  ): Contestant => ({
    name,
    threads: 1,
    slow: options.slow ?? false,
    peer: options.peer,
    rest: options.rest ?? 0,
    async prepare() {
      let runs = 0;
      const entrant = localEntrant(
        {
          run: () => {
            if (runs === options.failAt) throw new Error("it broke");
            now += costs[Math.min(runs, costs.length - 1)];
            runs++;
            diary.push(name);
          },
          bits: () => options.bits?.(runs) ?? "same",
        },
        () => now,
      );
      return entrant;
    },
  });
  return { diary, contestant };
}

const subject = (changes: Partial<Case> = {}): Case => ({
  name: "work",
  about: "",
  unit: "ms",
  rounds: 4,
  calls: 3,
  warmup: 2,
  place: "backend",
  prepare: () => Promise.reject(new Error("contestants prepare")),
  ...changes,
});

describe("counts", () => {
  test("warm-up, then rounds of calls, and a call off the clock before each round where several take part", async () => {
    const { diary, contestant } = world();
    await measure(subject(), [contestant("a", [1])]);
    expect(diary.length).toBe(2 + 4 * 3);
    diary.length = 0;
    await measure(subject(), [contestant("a", [1]), contestant("b", [1])]);
    expect(diary.filter((name) => name === "a").length).toBe(2 + 4 * (3 + 1));
  });

  test("a slow one takes fewer, and never more than its three rounds of one call", async () => {
    const { diary, contestant } = world();
    const { rows } = await measure(subject({ rounds: 9, calls: 50, warmup: 100 }), [
      contestant("slow", [1], { slow: true }),
    ]);
    expect(diary.length).toBe(1 + 3);
    expect(rows[0]).toMatchObject({ rounds: 3, calls: 1 });
  });

  test("a peer that would take more than 8 s over a case is counted as slow there; a backend of our own never is", async () => {
    const { contestant } = world();
    const counts = async (ms: number, peer?: string) =>
      (await measure(subject({ rounds: 9, calls: 50, warmup: 100 }), [contestant("a", [ms], { peer })])).rows[0].rounds;
    expect(await counts(20, "p 1")).toBe(3);
    expect(await counts(10, "p 1")).toBe(9);
    expect(await counts(20)).toBe(9);
  });

  test("--rounds replaces the case's own", async () => {
    const { contestant } = world();
    const { rows } = await measure(subject(), [contestant("a", [1])], { rounds: 7 });
    expect(rows[0].rounds).toBe(7);
  });
});

test("contestants take turns, and who begins moves on", async () => {
  const { diary, contestant } = world();
  await measure(
    subject({ calls: 1, rounds: 3, warmup: 1 }),
    ["a", "b", "c"].map((name) => contestant(name, [1])),
  );
  // One warm-up each, then pairs: the call off the clock and the timed one.
  expect(diary.slice(3).join("")).toBe("aabbcc" + "bbccaa" + "ccaabb");
});

test("warm-up isn't on the clock; the median and the minimum of the rounds' means are kept", async () => {
  const { contestant } = world();
  const { rows } = await measure(subject({ calls: 1, rounds: 5, warmup: 2 }), [
    contestant("a", [1000, 1000, 4, 2, 9, 3, 100]),
  ]);
  expect(rows[0]).toMatchObject({ median_ms: 4, min_ms: 2, quartiles_ms: [3, 9], rate: 4 });
});

test("rates are work by the median time", async () => {
  const { contestant } = world();
  const { rows } = await measure(subject({ unit: "GFLOP/s", work: 8e6 }), [contestant("a", [2])]);
  expect(rows[0].rate).toBe(4);
});

test("a row says its share of a ceiling that is measured in the same rounds, times threads where each thread has one", async () => {
  const { contestant } = world();
  const ceiling = { ...subject({ name: "top", work: 100, calls: 1 }), place: "host" as const };
  const probe: Case = { ...ceiling, prepare: async () => ({ time: async () => 1, bits: () => "" }) };
  const own = { ...contestant("a", [4]), threads: 2 };
  const options = { ceiling: { subject: probe, work: 200, perThread: true } };
  const { rows } = await measure(subject(options), [own, { ...contestant("p", [1]), peer: "p 1" }]);
  // 200 in 4 ms of the 2 × 100 a ms that two threads could do.
  expect(rows[0]).toMatchObject({ share: 0.25, ceiling: "top" });
  expect(rows[1].share).toBeUndefined();
  const alone = await measure(subject({ ceiling: { ...options.ceiling, perThread: false } }), [own]);
  expect(alone.rows[0].share).toBe(0.5);
});

describe("bits", () => {
  test("of a stateful case are those after a fixed number of calls, however many follow", async () => {
    const { contestant } = world();
    const bits = (runs: number) => `after ${runs}`;
    const { rows, wrong } = await measure(subject({ stateful: true, warmup: 40 }), [
      contestant("fast", [1], { bits }),
      contestant("slow", [1], { bits, slow: true }),
    ]);
    expect(rows.map((row) => row.bits)).toEqual([`after ${settled}`, `after ${settled}`]);
    expect(wrong).toEqual([]);
  });

  test("that change from the first run to the last are found", async () => {
    const { contestant } = world();
    const { wrong } = await measure(subject(), [contestant("a", [1], { bits: (runs) => String(runs > 3) })]);
    expect(wrong).toEqual(["a, threads 1: the last run's bits are not the first run's"]);
  });

  test("that differ between backends are found, and peers may differ", async () => {
    const { contestant } = world();
    const { wrong } = await measure(subject(), [
      contestant("a", [1]),
      contestant("b", [1], { bits: () => "others" }),
      contestant("p", [1], { bits: () => "its own", peer: "p 1" }),
    ]);
    expect(wrong).toEqual(["b, threads 1: other bits than a, threads 1"]);
  });
});

test("who can't, and who breaks on the way, is left out with its reason; the others go on", async () => {
  const { contestant } = world();
  const unable: Contestant = { ...contestant("unable", [1]), prepare: async () => ({ cannot: "no such op" }) };
  const { rows, absent, wrong } = await measure(subject(), [
    { ...unable, peer: "p 1" },
    contestant("early", [1], { failAt: 0, peer: "p 1" }),
    contestant("late", [1], { failAt: 6 }),
    contestant("a", [1]),
  ]);
  expect(rows.map(({ backend, rounds }) => [backend, rounds])).toEqual([["a", 4]]);
  expect(absent).toEqual([
    { case: "work", backend: "unable", reason: "no such op" },
    { case: "work", backend: "early", reason: "it broke" },
    { case: "work", backend: "late", reason: "it broke" },
  ]);
  // A peer may be unable; a backend of our own must not be.
  expect(wrong).toEqual(["late, threads 1: it broke"]);
});

test("threads get their rest before the next one's turn", async () => {
  const { contestant } = world();
  const pauses: number[] = [];
  await measure(subject({ rounds: 2 }), [contestant("a", [1], { rest: 60 }), contestant("b", [1])], {
    pause: async (ms) => {
      pauses.push(ms);
    },
  });
  expect(pauses).toEqual([60, 60]);
});

test("a runner that says its own time is believed", async () => {
  const times = [5, 7];
  const entrant = localEntrant({ time: async () => times.shift()!, bits: () => "" }, () => 0);
  expect(await entrant.sample(2)).toBe(6);
});

test("summaries", () => {
  expect(summarize([3])).toEqual({ median: 3, minimum: 3, quartiles: [3, 3] });
  expect(summarize([4, 1, 3, 2])).toEqual({ median: 2.5, minimum: 1, quartiles: [1.75, 3.25] });
});
