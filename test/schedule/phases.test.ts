// Phases: every function of a schedule once and in order, small ones together; and how many chunks threads divide one into.
import { describe, expect, test } from "vitest";
import { lower } from "../../src/compile/lower.ts";
import type { Target } from "../../src/compile/target.ts";
import type { Node } from "../../src/graph/node.ts";
import { add, exp } from "../../src/ops/elementwise.ts";
import { take } from "../../src/ops/gather.ts";
import { matmul } from "../../src/ops/matmul.ts";
import { sum } from "../../src/ops/reduce.ts";
import type { Loops } from "../../src/schedule/loops.ts";
import { chunkCount } from "../../src/schedule/parallel.ts";
import type { Phase } from "../../src/schedule/phases.ts";
import { type Schedule, schedulePlan } from "../../src/schedule/schedule.ts";
import { traceGraph } from "../support/graphs.ts";
import { wasmTarget } from "../support/wasm.ts";

const threads: Target = { ...wasmTarget, threads: 2 };
const axis = (extent: number, grain = 1) => [{ axis: 0, extent, grain }];

const isIndexed = (loops: Loops) => loops.kind === "elements" && loops.nest.inputs.some(({ index }) => index);

describe("chunks", () => {
  test("four for each thread, of a thread's worth of work", () => {
    expect(chunkCount(1e6, axis(1e6, 64), threads)).toBe(8);
    expect(chunkCount(1e6, axis(1e6, 64), { ...threads, threads: 3 })).toBe(12);
    expect(chunkCount(4 * 4096, axis(1e6, 64), threads)).toBe(4);
    expect(chunkCount(5 * 4096, axis(1e6, 64), threads)).toBe(4);
  });

  test("one for each thread of what is just worth sharing, one in all of what isn't, or on one thread", () => {
    expect(chunkCount(4096, axis(1e6), threads)).toBe(2);
    expect(chunkCount(4095, axis(1e6), threads)).toBe(1);
    expect(chunkCount(1e6, axis(1e6), wasmTarget)).toBe(1);
    expect(chunkCount(1e6, [undefined], threads)).toBe(1);
  });

  test("no more than there are portions of the grain, or of what a chunk has at least", () => {
    expect(chunkCount(1e6, axis(3 * 64, 64), threads)).toBe(2);
    expect(chunkCount(1e6, axis(2 * 64, 64), { ...threads, threads: 3 })).toBe(2);
    expect(chunkCount(1e6, axis(64, 64), threads)).toBe(1);
    expect(chunkCount(1e6, axis(1024, 8), threads, 256)).toBe(4);
    expect(chunkCount(1e6, axis(784, 8), threads, 256)).toBe(2);
    expect(chunkCount(1e6, axis(100, 8), threads, 256)).toBe(2);
    expect(chunkCount(1e6, axis(0), threads)).toBe(1);
  });
});

function scheduleOf(build: (nodes: Record<string, Node>) => Record<string, Node>, target: Target): Schedule {
  const shapes = { x: [256, 256], w: [256, 512], s: [10] };
  const ports = {
    ...Object.fromEntries(Object.entries(shapes).map(([name, shape]) => [name, { dtype: "float32" as const, shape }])),
    n: { dtype: "int32" as const, shape: [5] },
  };
  return schedulePlan(lower(traceGraph(ports, (nodes) => ({ outputs: build(nodes) }))), target);
}

const numbers = ({ calls }: Phase) => calls.map(({ member }) => member.number);

describe("phases", () => {
  const build = ({ x, w, s, n }: Record<string, Node>) => {
    const y = matmul(x, w);
    return { y, columns: sum(y, { axis: 0 }), small: exp(s), rows: take(s, n), after: add(s, 1), s };
  };

  test.each([["two threads", threads] as const, ["one", wasmTarget] as const])(
    "every function once, %s",
    (_, target) => {
      const schedule = scheduleOf(build, target);
      const all = schedule.groups.flatMap(({ members }) =>
        members.flatMap(({ number, loops }) => loops.map(() => number)),
      );
      expect(schedule.phases.flatMap(numbers)).toEqual(all);
    },
  );

  test("small functions are one phase; what may find a bad index ends one; a group's chunks are its blocks", () => {
    const { phases, groups, isParallel } = scheduleOf(build, threads);
    expect(isParallel).toBe(true);
    for (const [i, phase] of phases.entries()) {
      const reads = phase.calls.some(({ loops }) => isIndexed(loops));
      expect(phase.checks).toBe(reads);
      const next = phases[i + 1];
      if (next && phase.chunks === 1 && next.chunks === 1) expect(phase.checks).toBe(true);
    }
    for (const group of groups.filter(({ division }) => division))
      expect(phases.some(({ calls, chunks }) => calls[0].group === group && chunks === group.blocks)).toBe(true);
    expect(scheduleOf(({ s }) => ({ y: exp(s) }), threads).isParallel).toBe(false);
  });
});
