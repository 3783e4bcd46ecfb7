// A schedule computes its plan: of random programs, whatever it is made for, every kernel runs once, after what it reads and before what overwrites
// that; and what is alive together never lies in one place.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { kernelInputs } from "../../kernels/kernel.ts";
import { lower } from "../../src/compile/lower.ts";
import { homeOf, valueBytes } from "../../src/compile/plan.ts";
import { plainTarget, type Target } from "../../src/compile/target.ts";
import { full } from "../../src/ops/define.ts";
import { add, mul, tanh } from "../../src/ops/elementwise.ts";
import { scanNodes } from "../../src/ops/scan.ts";
import { type Schedule, schedulePlan } from "../../src/schedule/schedule.ts";
import { checkSchedule } from "../support/arena.ts";
import { traceGraph } from "../support/graphs.ts";
import { choices, programOf } from "../support/programs.ts";
import { wasmTarget } from "../support/wasm.ts";

const targets: Record<string, Target> = {
  "kernels as they are": plainTarget,
  "four lanes, one thread": wasmTarget,
  "several threads, everything shared": { ...wasmTarget, threads: 2, shareFrom: 0 },
  "no lanes, a small cache": { ...wasmTarget, lanes: 1, firstCache: 256, secondCache: 2048 },
};

/** Which buffer a value is bound to: state is one as an input and as an output. Parts of one value needn't overlap, and are by themselves: `checkSchedule` walks them. */
function bufferOf({ plan }: Schedule, value: number): string {
  const { place } = plan.values[value];
  if (place.kind !== "output") return String(value);
  const state = plan.state.find(({ output }) => output === place.index);
  return String(state ? plan.inputs[state.input].value : value);
}

/** Each kernel of the plan once, and no two that share a buffer, of which one writes it, the other way round than in the plan. */
function checkOrder(schedule: Schedule): void {
  const { plan, groups } = schedule;
  const members = groups.flatMap((group) => group.members);
  expect(members.map(({ number }) => number).sort((a, b) => a - b)).toEqual([...plan.kernels.keys()]);
  const position = new Map(members.map(({ number }, at) => [number, at]));
  const touched = plan.kernels.map((kernel) => ({
    writes: bufferOf(schedule, kernel.output),
    reads: new Set(
      kernelInputs(kernel).flatMap(({ source }) => (typeof source === "number" ? [bufferOf(schedule, source)] : [])),
    ),
  }));
  touched.forEach((first, i) => {
    touched.slice(i + 1).forEach((second, k) => {
      const meet = first.writes === second.writes || second.reads.has(first.writes) || first.reads.has(second.writes);
      if (meet) expect(position.get(i), `kernels ${i} and ${i + 1 + k}`).toBeLessThan(position.get(i + 1 + k)!);
    });
  });
}

/** No two values of the arena that some group touches, first to last, lie over each other. From one position of a loop to the next values live longer: `checkSchedule` walks those. */
function checkPlaces({ plan, groups, offsets, arenaBytes, lowerBoundBytes }: Schedule): void {
  const spans = new Map<number, [number, number]>();
  const touch = (part: number, at: number) => {
    const value = homeOf(plan.values, part);
    spans.set(value, [spans.get(value)?.[0] ?? at, at]);
  };
  groups.forEach(({ members }, at) => {
    for (const { kernel } of members) {
      touch(kernel.output, at);
      for (const { source } of kernelInputs(kernel)) if (typeof source === "number") touch(source, at);
    }
  });
  const alive = [...offsets].map(([value, from]) => ({
    value,
    from,
    to: from + valueBytes(plan.values[value]),
    span: spans.get(value)!,
  }));
  const worst = groups.map((_, at) =>
    alive.reduce(
      (sum, { from, to, span }) =>
        span[0] <= at && at <= span[1] ? sum + Math.max(64, Math.ceil((to - from) / 64) * 64) : sum,
      0,
    ),
  );
  const least = Math.max(0, ...worst);
  if (plan.kernels.some(({ repeat }) => repeat)) expect(lowerBoundBytes).toBeGreaterThanOrEqual(least);
  else expect(lowerBoundBytes).toBe(least);
  for (const a of alive) {
    expect(a.to).toBeLessThanOrEqual(arenaBytes);
    for (const b of alive) {
      const together = a.value < b.value && a.span[0] <= b.span[1] && b.span[0] <= a.span[1];
      if (together && a.from < b.to && b.from < a.to) expect.fail(`values ${a.value} and ${b.value} share memory`);
    }
  }
  // What lives between kernels lives in exactly one place.
  const local = groups.flatMap(({ locals }) => [...locals.places.keys()]);
  expect(new Set(local).size).toBe(local.length);
  for (const value of spans.keys())
    if (plan.values[value].place.kind === "temporary")
      expect([offsets.has(value), local.includes(value)].filter(Boolean).length, `value ${value}`).toBe(1);
}

describe.each(Object.entries(targets))("random programs, %s", (_, target) => {
  test("are scheduled whole, in order, and each value where no other is", () => {
    fc.assert(
      fc.property(choices, fc.boolean(), fc.boolean(), (numbers, differentiate, fuse) => {
        const schedule = schedulePlan(lower(programOf(numbers, { differentiate }).graph, { fuse }), target);
        checkOrder(schedule);
        checkPlaces(schedule);
        checkSchedule(schedule);
      }),
      { numRuns: Number(process.env.FUZZ ?? 1) * 60 },
    );
  }, 60_000);
});

test.each([true, false])(
  "what a loop came to stays while a loop within another one reads its parts; fused: %j",
  (fuse) => {
    const port = (...shape: number[]) => ({ dtype: "float32", shape }) as const;
    const graph = traceGraph({ x: port(2, 3, 4), y: port(2, 4) }, ({ x, y }) => {
      const sums = scanNodes(
        ({ carry: [sum], slices: [each] }) => ({ carry: [tanh(add(sum, each))], slices: [] }),
        [full([3, 4], 0)],
        [x],
        2,
      );
      const outer = scanNodes(
        ({ slices: [row] }) => {
          const inner = scanNodes(
            ({ carry: [c], slices: [part] }) => ({ carry: [mul(c, part)], slices: [] }),
            [row],
            sums.carry,
            3,
          );
          return { carry: [], slices: [tanh(add(tanh(mul(inner.carry[0], row)), row))] };
        },
        [],
        [y],
        2,
      );
      return { outputs: { z: outer.slices[0] } };
    });
    checkSchedule(schedulePlan(lower(graph, { fuse }), plainTarget));
  },
);
