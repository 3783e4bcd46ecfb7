// Loops in loops, and loops that read what others came to: at every position each kernel finds the values that were meant. Of lifetimes told by who reads a part, rather
// than by who writes it, one program in two hundred of these shows that they are wrong.
import fc from "fast-check";
import { test } from "vitest";
import { lower } from "../../src/compile/lower.ts";
import { plainTarget } from "../../src/compile/target.ts";
import type { Node } from "../../src/graph/node.ts";
import { add, mul, tanh } from "../../src/ops/elementwise.ts";
import { flip } from "../../src/ops/movement.ts";
import { scanNodes } from "../../src/ops/scan.ts";
import { schedulePlan } from "../../src/schedule/schedule.ts";
import { checkSchedule } from "../support/arena.ts";
import { traceGraph } from "../support/graphs.ts";
import { tape } from "../support/programs.ts";
import { wasmTarget } from "../support/wasm.ts";

/** A program of little but loops, over arrays whose extents are all 3, so that any result can be sliced or carried by any later loop. */
function loopsOf(numbers: readonly number[]) {
  const { pick } = tape(numbers);
  const port = (rank: number) => ({ dtype: "float32", shape: Array<number>(rank).fill(3) }) as const;
  const results = new Set<Node>();
  const some = (values: readonly Node[], rank: number) => {
    const found = values.filter(({ shape }) => shape.length === rank);
    return found[found.length - 1 - pick(found.length)];
  };
  const grow = (values: Node[], depth: number): void => {
    const rank = 1 + pick(2);
    if (depth === 2 || (depth === 1 && pick(2))) {
      const joined = (pick(2) ? add : mul)(some(values, rank), some(values, rank));
      values.push(pick(3) ? tanh(joined) : flip(joined, [0]));
      return;
    }
    const whole = values.filter((each) => results.has(each) && each.shape.length === rank + 1);
    const { carry, slices } = scanNodes(
      (step) => {
        const own = [...values, ...step.slices, ...step.carry];
        for (let i = 2 + pick(3); i > 0; i--) grow(own, depth + 1);
        return { carry: step.carry.map(({ shape }) => some(own, shape.length)), slices: [some(own, rank)] };
      },
      [some(values, rank)],
      [some(whole.length > 0 && pick(4) ? whole : values, rank + 1)],
      3,
      { reverse: pick(2) === 1 },
    );
    for (const result of [...carry, ...slices]) {
      results.add(result);
      values.push(result);
    }
  };
  return traceGraph({ x: port(1), y: port(2), z: port(3) }, (nodes) => {
    const values: Node[] = Object.values(nodes);
    for (let i = 2 + pick(3); i > 0; i--) grow(values, 0);
    return { outputs: { last: values[values.length - 1], other: some(values, 1 + pick(2)) } };
  });
}

test("loops find what they read", () => {
  const choices = fc.array(fc.nat(5000), { minLength: 60, maxLength: 120 });
  const targets = fc.constantFrom(plainTarget, wasmTarget, { ...wasmTarget, threads: 3, shareFrom: 0 });
  fc.assert(
    fc.property(choices, targets, fc.boolean(), (numbers, target, fuse) => {
      checkSchedule(schedulePlan(lower(loopsOf(numbers), { fuse }), target));
    }),
    { numRuns: 200 },
  );
}, 120_000);
