// What a run takes of memory, by what is held there.
import { valueBytes } from "../compile/plan.ts";
import type { Schedule } from "../schedule/schedule.ts";

/** Bytes by what they hold: the arena, with its lower bound; what a run is given; state, which is updated in place; constants. */
export interface Memory {
  readonly arena: number;
  readonly lowerBound: number;
  readonly inputs: number;
  readonly state: number;
  readonly constants: number;
  /** All of it, and the outputs that aren't state: what a run needs at its worst moment. */
  readonly peak: number;
}

/** The memory of one run of the schedule. */
export function memoryOf({ plan, arenaBytes: arena, lowerBoundBytes: lowerBound }: Schedule): Memory {
  const bytes = (value: number) => valueBytes(plan.values[value]);
  const total = (values: Iterable<number>) => [...new Set(values)].reduce((sum, value) => sum + bytes(value), 0);
  const held = new Set(plan.state.map(({ input }) => input));
  const updated = new Set(plan.state.map(({ output }) => output));
  const inputs = total(plan.inputs.filter((_, i) => !held.has(i)).map(({ value }) => value));
  const state = total(plan.inputs.filter((_, i) => held.has(i)).map(({ value }) => value));
  const outputs = total(plan.outputs.filter((_, i) => !updated.has(i)).map(({ value }) => value));
  const constants = total([...plan.values.keys()].filter((value) => plan.values[value].place.kind === "constant"));
  return { arena, lowerBound, inputs, state, constants, peak: arena + inputs + state + outputs + constants };
}
