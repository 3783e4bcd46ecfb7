// Where temporary values are kept. What one group alone writes and reads, row by row, lives in thread-local scratch, reused per block, and never goes
// out to the arena; all others have a place in the arena for as long as some group touches them. Local values halve the arena of an mnist-mlp evaluation
// (1.10 to 0.56 MB) and take a fifth off moby-gpt's (21.1 to 16.8 MB); in time they gain little (a softmax of 4096 × 1000: 5 %).
import { type Repeat, sourcesOf } from "../../kernels/kernel.ts";
import type { Kernel } from "../../kernels/kinds.ts";
import { childOf } from "../compile/nested.ts";
import { homeOf, type Plan, valueBytes } from "../compile/plan.ts";
import type { Target } from "../compile/target.ts";
import type { Division, Group } from "./rows.ts";

export const align = (bytes: number) => Math.ceil(bytes / 64) * 64;

type Spans = Map<number, readonly [number, number]>;

/** First and last step that touches the memory of each value. What is in a loop from outside of it, or from one position to another, lives as long as the loop runs. */
function lifetimesIn({ values }: Plan, steps: readonly (readonly Kernel[])[]): Spans {
  const loops = new Map<Repeat, readonly [number, number]>();
  /** The loop that a value is anew in at each position: told by who writes it, since other loops may read its parts. */
  const owners = new Map<number, Repeat | undefined>();
  steps.forEach((kernels, at) => {
    for (const { output, repeat } of kernels) {
      owners.set(homeOf(values, output), ownerOf(values, output, repeat));
      for (let loop = repeat; loop; loop = loop.within) loops.set(loop, [loops.get(loop)?.[0] ?? at, at]);
    }
  });
  const spans: Spans = new Map();
  const touch = (value: number, at: number) => {
    const home = homeOf(values, value);
    const loop = childOf(steps[at][0].repeat, owners.get(home));
    const [from, to] = loop ? loops.get(loop)! : [at, at];
    const [first, last] = spans.get(home) ?? [from, to];
    spans.set(home, [Math.min(first, from), Math.max(last, to)]);
  };
  steps.forEach((kernels, at) => {
    for (const kernel of kernels) for (const value of [kernel.output, ...sourcesOf(kernel)]) touch(value, at);
  });
  return spans;
}

/** The loop at each of whose positions the whole that `output` is a part of is anew, where a kernel in `repeat` writes that part. */
function ownerOf(values: Plan["values"], output: number, repeat: Repeat | undefined): Repeat | undefined {
  const { place } = values[output];
  if (place.kind !== "part") return repeat;
  return ownerOf(values, place.of, place.repeat ? place.repeat.within : repeat);
}

/** Memory from `start` to `end` that is a value's own from one step to another. */
interface Taken {
  readonly start: number;
  readonly end: number;
  readonly from: number;
  readonly to: number;
}

/** Where values of so many bytes lie, each in the lowest gap that is free while it lives, one after another; and where all of them end. */
function layOut(sizes: Iterable<readonly [value: number, bytes: number]>, spans: Spans) {
  const offsets = new Map<number, number>();
  /** In order of start. */
  const taken: Taken[] = [];
  let bytes = 0;
  for (const [value, own] of sizes) {
    const [from, to] = spans.get(value)!;
    let start = 0;
    for (const other of taken) {
      if (other.from > to || from > other.to) continue;
      if (start + own <= other.start) break;
      start = Math.max(start, other.end);
    }
    const end = start + own;
    const behind = taken.findIndex((other) => other.start > start);
    taken.splice(behind < 0 ? taken.length : behind, 0, { start, end, from, to });
    offsets.set(value, start);
    bytes = Math.max(bytes, end);
  }
  return { offsets, bytes };
}

/** Where values are in the arena, in bytes from its beginning. */
export interface Arena {
  readonly offsets: ReadonlyMap<number, number>;
  readonly arenaBytes: number;
  /** Sum of the sizes that are alive at the worst moment: no arena can be smaller. */
  readonly lowerBoundBytes: number;
}

/** Lays out the temporary values that aren't local to a group: those alive in one group never overlap; largest first, each at the lowest gap. */
export function layOutArena(
  plan: Plan,
  groups: readonly (Pick<Group, "members"> & { readonly locals: Locals })[],
  { words }: Pick<Target, "words">,
): Arena {
  const { values } = plan;
  const spans = lifetimesIn(
    plan,
    groups.map(({ members }) => members.map(({ kernel }) => kernel)),
  );
  const local = new Set(groups.flatMap(({ locals }) => [...locals.places.keys()]));
  const bytes = (value: number) => align(Math.max(1, words ? 4 * values[value].size : valueBytes(values[value])));
  const order = [...values.keys()]
    .filter((value) => values[value].place.kind === "temporary" && spans.has(value) && !local.has(value))
    .sort((a, b) => bytes(b) - bytes(a) || a - b);
  const { offsets, bytes: arenaBytes } = layOut(
    order.map((value) => [value, bytes(value)]),
    spans,
  );
  const change = new Array<number>(groups.length + 2).fill(0);
  for (const value of order) {
    const [from, to] = spans.get(value)!;
    change[from] += bytes(value);
    change[to + 1] -= bytes(value);
  }
  let [alive, lowerBoundBytes] = [0, 0];
  for (const difference of change) {
    alive += difference;
    lowerBoundBytes = Math.max(lowerBoundBytes, alive);
  }
  return { offsets, arenaBytes, lowerBoundBytes };
}

/** Where the rows of a block lie, from the beginning of the part's local memory. */
export interface LocalPlace {
  readonly offset: number;
  /** Bytes per row; the whole value has `Division.rows` of them. */
  readonly rowBytes: number;
}

/** A group's local values, and the memory they take. */
export interface Locals {
  readonly places: ReadonlyMap<number, LocalPlace>;
  readonly bytes: number;
}

export const noLocals: Locals = { places: new Map(), bytes: 0 };

/** The most rows that one of `blocks` blocks has. */
export const rowsOfBlock = ({ rows, grain }: Division, blocks: number): number =>
  Math.min(rows, Math.ceil(Math.ceil(rows / grain) / blocks) * grain);

/** Places for the group's local values when it runs in `blocks` blocks: those alive together never overlap. None where they would be too large. */
export function placeLocals(
  plan: Plan,
  { members, division, local }: Group,
  blocks: number,
  { secondCache }: Target,
): Locals {
  if (!division || local.size === 0) return noLocals;
  const rows = rowsOfBlock(division, blocks);
  const spans = lifetimesIn(
    plan,
    members.map(({ kernel }) => [kernel]),
  );
  const sizes = [...local].map(([value, rowBytes]) => [value, align(rows * rowBytes)] as const);
  const { offsets, bytes } = layOut(sizes, spans);
  if (bytes > secondCache) return noLocals;
  const places = [...local].map(([value, rowBytes]) => [value, { offset: offsets.get(value)!, rowBytes }] as const);
  return { places: new Map(places), bytes };
}
