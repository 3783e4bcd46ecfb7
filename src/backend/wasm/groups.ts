// Kernels that walk the same rows are run together, block of rows by block: what one writes the next finds in the cache, and threads don't
// meet in between. A kernel joins a group when everything it shares with it stays within a row; it moves up past kernels that it has
// nothing to do with. Which element is computed from what, and in which order sums run, stays as it was.
import { type Kernel, type KernelInput, kernelInputs } from "../../../kernels/kernel.ts";
import type { Plan } from "../../compile/plan.ts";
import { itemSize } from "../../core/dtype.ts";
import { type Shape, sizeOf } from "../../core/shape.ts";
import { simplify } from "./nest.ts";

/** A kernel and its number in the plan. */
export interface Member {
  readonly kernel: Kernel;
  readonly number: number;
}

/** How kernels are cut together: borders lie at multiples of `grain` of so many rows. */
export interface Cut {
  readonly rows: number;
  readonly grain: number;
}

/** Kernels in order; several have a cut in common. */
export interface Group {
  readonly members: readonly Member[];
  readonly cut: Cut | undefined;
  /** Memory they touch. */
  readonly bytes: number;
}

/** Where a value is in memory. */
interface Region {
  /** −1: the arena; others by the number of the value, an input's for state. */
  readonly space: number;
  readonly from: number;
  readonly to: number;
}

/** A stretch of memory that a kernel touches. `rowBytes` gives, for a number of rows, how far apart they are where it keeps to them. */
interface Access extends Region {
  readonly value: number;
  readonly writes: boolean;
  rowBytes(rows: number): number | undefined;
}

interface Draft {
  /** Its place among the drafts. */
  at: number;
  members: Member[];
  accesses: Access[];
  /** Into how many rows all members can be cut, most first; empty: they can't. */
  rows: number[];
}

/** The plan's kernels in groups, in an order that computes the same. */
export function groupKernels(plan: Plan, kernels: readonly Kernel[]): Group[] {
  const groups: Draft[] = [];
  const neighbours = overlapping(plan);
  const readers = plan.values.map((): Set<Draft> => new Set());
  const writers = plan.values.map((): Set<Draft> => new Set());
  kernels.forEach((kernel, number) => {
    const accesses = accessesOf(plan, kernel);
    const rows = rowCounts(kernel);
    // The last draft that must come before, and those that have memory in common, beyond a few numbers.
    let after = -1;
    const sharing = new Set<Draft>();
    for (const { value, writes } of accesses) {
      for (const other of neighbours[value]) {
        const isLarge = plan.values[other].size * itemSize(plan.values[other].dtype) > 256;
        for (const [drafts, conflicts] of [
          [writers[other], true],
          [readers[other], writes],
        ] as const) {
          for (const draft of drafts) {
            if (conflicts) after = Math.max(after, draft.at);
            if (isLarge) sharing.add(draft);
          }
        }
      }
    }
    const note = (draft: Draft) => {
      for (const { value, writes } of accesses) (writes ? writers : readers)[value].add(draft);
    };
    for (const group of [...sharing].sort((a, b) => b.at - a.at)) {
      if (group.at < after) break;
      const common = group.rows.filter((count) => rows.includes(count) && fits(group.accesses, accesses, count));
      if (common.length === 0) continue;
      group.members.push({ kernel, number });
      group.accesses.push(...accesses);
      group.rows = common;
      note(group);
      return;
    }
    const made: Draft = { at: after + 1, members: [{ kernel, number }], accesses, rows };
    groups.splice(made.at, 0, made);
    for (let at = made.at + 1; at < groups.length; at++) groups[at].at = at;
    note(made);
  });
  return groups.map(({ members, rows: [rows], accesses }) => {
    const regions = new Map(accesses.map(({ space, from, to }) => [`${space} ${from}`, to - from]));
    const bytes = [...regions.values()].reduce((sum, each) => sum + each, 0);
    if (members.length === 1) return { members, bytes, cut: undefined };
    // Rows of one element are cut at cache lines.
    const isFlat = members.every(({ kernel }) => kernel.kind !== "reduce" && sizeOf(kernel.shape) === rows);
    return { members, bytes, cut: { rows, grain: isFlat ? 64 : 1 } };
  });
}

const overlap = (a: Region, b: Region) => a.space === b.space && a.from < b.to && b.from < a.to;

/** For each value, those whose memory is in part its own, itself included. */
function overlapping(plan: Plan): readonly (readonly number[])[] {
  const regions = plan.values.map((_, value) => ({ ...regionOf(plan, value), value }));
  const found = regions.map((): number[] => []);
  const sorted = [...regions].sort((a, b) => a.space - b.space || a.from - b.from);
  sorted.forEach((a, i) => {
    found[a.value].push(a.value);
    for (let j = i + 1; j < sorted.length && sorted[j].space === a.space && sorted[j].from < a.to; j++) {
      found[a.value].push(sorted[j].value);
      found[sorted[j].value].push(a.value);
    }
  });
  return found;
}

/** Whether, cut into so many rows, a row of the second depends on no other row of the first. */
function fits(first: readonly Access[], second: readonly Access[], rows: number): boolean {
  return second.every((b) =>
    first.every((a) => {
      if (!(a.writes || b.writes) || !overlap(a, b)) return true;
      const bytes = a.rowBytes(rows);
      return bytes !== undefined && bytes === b.rowBytes(rows) && a.from === b.from;
    }),
  );
}

/** The leading axes whose product is `rows`; all of them where only all give it. */
export function leadingAxes(shape: Shape, rows: number): number {
  let product = 1;
  for (let axis = 0; axis < shape.length; axis++) {
    product *= shape[axis];
    if (product === rows) return axis + 1;
  }
  return rows === 1 ? 0 : -1;
}

/** Into how many rows the kernel can be cut, most first. */
function rowCounts(kernel: Kernel): number[] {
  if (kernel.kind === "random") return kernel.sampler === "words" ? [sizeOf(kernel.shape)] : [];
  const isRow = kernel.kind === "map" || (kernel.kind === "reduce" && kernel.order === "lanes");
  if (!isRow || kernel.inputs.some(({ view }) => view.bounds.some(Boolean))) return [];
  const { shape } = kernel;
  const domain = kernel.kind === "reduce" ? [...shape, ...kernel.reduced] : shape;
  const counts = new Set<number>();
  let product = 1;
  for (const extent of shape) {
    product *= extent;
    if (product > 1 && (kernel.kind === "map" || product === sizeOf(shape))) counts.add(product);
  }
  return [...counts].reverse().filter((rows) => {
    const border = leadingAxes(shape, rows);
    const { outer, extents } = simplify(domain, kernel.inputs, border);
    // Elements of one axis are cut anywhere only where they are that axis alone.
    const isFlat = rows === sizeOf(domain);
    return outer === 1 && extents[0] === rows && (!isFlat || simplify(domain, kernel.inputs).extents.length === 2);
  });
}

function remembered(find: (rows: number) => number | undefined): (rows: number) => number | undefined {
  const known = new Map<number, number | undefined>();
  return (rows) => {
    if (!known.has(rows)) known.set(rows, find(rows));
    return known.get(rows);
  };
}

function accessesOf(plan: Plan, kernel: Kernel): Access[] {
  const domain =
    kernel.kind === "reduce" ? [...kernel.shape, ...kernel.reduced] : kernel.kind === "map" ? kernel.shape : undefined;
  const reads = kernelInputs(kernel).flatMap((input) => {
    if (typeof input.source !== "number" || plan.values[input.source].place.kind === "constant") return [];
    return [
      {
        ...regionOf(plan, input.source),
        value: input.source,
        writes: false,
        rowBytes: remembered((rows) => domain && rowStep(input, domain, rows)),
      },
    ];
  });
  const output = regionOf(plan, kernel.output);
  return [
    ...reads,
    { ...output, value: kernel.output, writes: true, rowBytes: (rows: number) => (output.to - output.from) / rows },
  ];
}

/** How far apart the rows of a view begin, in bytes, where each keeps to its own part of memory; else undefined. */
function rowStep(input: KernelInput, domain: Shape, rows: number): number | undefined {
  const { inputs, outer, extents } = simplify(domain, [input], leadingAxes(domain, rows));
  const { strides, offset } = inputs[0];
  if (outer !== 1 || extents[0] !== rows || input.view.bounds.some(Boolean)) return undefined;
  let [low, high] = [offset, offset];
  for (let axis = 1; axis < extents.length; axis++) {
    const way = strides[axis] * (extents[axis] - 1);
    if (way < 0) low += way;
    else high += way;
  }
  return low >= 0 && high < strides[0] ? strides[0] * itemSize(input.dtype) : undefined;
}

/** Where a value is in memory. State is the same memory as an input and as an output. */
function regionOf(plan: Plan, value: number): Region {
  const { place, size, dtype } = plan.values[value];
  const bytes = size * itemSize(dtype);
  if (place.kind === "arena") return { space: -1, from: place.offset, to: place.offset + bytes };
  const state = place.kind === "output" ? plan.state.find(({ output }) => output === place.index) : undefined;
  return { space: state ? plan.inputs[state.input].value : value, from: 0, to: bytes };
}
