// A schedule's memory checked by walking its kernels once more: nothing is read before it is written or after it is overwritten.
import { expect } from "vitest";
import { elementBytes, isMap, kernelInputs, type Repeat } from "../../kernels/kernel.ts";
import { isContiguous } from "../../kernels/view.ts";
import { type Nested, nested, positionOf } from "../../src/compile/nested.ts";
import { homeOf, type Plan, partStart, valueBytes } from "../../src/compile/plan.ts";
import { plainTarget } from "../../src/compile/target.ts";
import { rowsOfBlock } from "../../src/schedule/places.ts";
import type { Member } from "../../src/schedule/rows.ts";
import { type Schedule, schedulePlan } from "../../src/schedule/schedule.ts";

/** The plan's kernels one after another, and where their values lie. */
export const plainSchedule = (plan: Plan): Schedule => schedulePlan(plan, plainTarget);

/** Fails unless every read of the plan, run kernel by kernel, finds the value that was meant. */
export const checkMemory = (plan: Plan): void => checkSchedule(plainSchedule(plan));

/** Fails unless every read finds the value that was meant. */
export function checkSchedule(schedule: Schedule): void {
  const { plan, offsets, arenaBytes, lowerBoundBytes, groups } = schedule;
  /** Where each loop that is being walked is. */
  const positions = new Map<Repeat, number>();
  /** Which value each byte of a memory holds, a part being of the whole: the arena is one memory, each bound buffer another. */
  const holds = new Map<string, (number | undefined)[]>();
  const placeOf = (value: number): { memory: string; from: number; to: number } => {
    const { place } = plan.values[value];
    const bytes = valueBytes(plan.values[value]);
    switch (place.kind) {
      case "temporary": {
        const group = groups.find(({ locals }) => locals.places.has(value));
        if (group) {
          const { offset, rowBytes } = group.locals.places.get(value)!;
          const rows = rowsOfBlock(group.division!, group.blocks);
          if (!(offset + rows * rowBytes <= schedule.localBytes)) expect.fail(`value ${value} isn't inside its block`);
          return { memory: "local", from: offset, to: offset + rows * rowBytes };
        }
        const offset = offsets.get(value)!;
        if (offset % elementBytes(plan.values[value]) !== 0) expect.fail(`value ${value} isn't aligned`);
        if (!(offset + bytes <= arenaBytes)) expect.fail(`value ${value} isn't inside the arena`);
        return { memory: "arena", from: offset, to: offset + bytes };
      }
      case "part": {
        const whole = placeOf(place.of);
        const start = partStart(place, place.repeat ? positions.get(place.repeat)! : 0);
        const from = whole.from + start * elementBytes(plan.values[place.of]);
        if (!(from + bytes <= whole.to)) expect.fail(`value ${value} isn't inside what it is a part of`);
        return { memory: whole.memory, from, to: from + bytes };
      }
      case "constant":
        return { memory: `constant ${value}`, from: 0, to: bytes };
      case "input":
        return { memory: `input ${place.index}`, from: 0, to: bytes };
      case "output": {
        const state = plan.state.find(({ output }) => output === place.index);
        return { memory: state ? `input ${state.input}` : `output ${place.index}`, from: 0, to: bytes };
      }
    }
  };
  const write = (value: number) => {
    const { memory, from, to } = placeOf(value);
    const bytes = holds.get(memory) ?? [];
    const home = homeOf(plan.values, value);
    for (let i = from; i < to; i++) bytes[i] = home;
    holds.set(memory, bytes);
  };
  const read = (value: number, who: string) => {
    const { memory, from, to } = placeOf(value);
    const bytes = holds.get(memory);
    const home = homeOf(plan.values, value);
    for (let i = from; i < to; i++)
      if (bytes?.[i] !== home) expect.fail(`${who} reads value ${value} where ${memory} holds ${bytes?.[i]}`);
  };
  plan.values.forEach(({ place }, value) => {
    if (place.kind === "input" || place.kind === "constant") write(value);
  });
  const run = ({ kernel, number: at }: Member) => {
    for (const { source } of kernelInputs(kernel)) if (typeof source === "number") read(source, `kernel ${at}`);
    const { memory, from, to } = placeOf(kernel.output);
    for (const { source, view } of kernelInputs(kernel)) {
      if (typeof source !== "number") continue;
      const other = placeOf(source);
      const apart = other.memory !== memory || other.to <= from || to <= other.from;
      // Writing over what is being read is safe only in an elementwise kernel that reads in order.
      const inOrder = isMap(kernel) && other.from === from && isContiguous(view);
      if (!apart && !inOrder) expect.fail(`kernel ${at} overwrites value ${source} while it reads it`);
    }
    write(kernel.output);
  };
  const walk = (list: readonly Nested<Member>[]) => {
    for (const each of list) {
      if ("item" in each) run(each.item);
      else
        for (let turn = 0; turn < each.repeat.count; turn++) {
          positions.set(each.repeat, positionOf(each.repeat, turn));
          walk(each.body);
        }
    }
  };
  walk(
    nested(
      groups.flatMap(({ members }) => members),
      ({ kernel }) => kernel.repeat,
    ),
  );
  // State that stays as it is is written by none.
  const written = new Set(plan.kernels.map(({ output }) => homeOf(plan.values, output)));
  for (const { value, name } of plan.outputs)
    if (written.has(homeOf(plan.values, value))) read(value, `output ${name}`);
  expect(arenaBytes).toBeGreaterThanOrEqual(lowerBoundBytes);
}
