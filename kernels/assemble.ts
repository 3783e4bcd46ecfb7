// Assembling a tensor of pieces: where each lands, and in which order they can be written so that each point adds up what lands on it in the
// order of the pieces, from the first, with no zero added.

import { remembered } from "../src/core/remembered.ts";
import { type Shape, sizeOf } from "../src/core/shape.ts";
import type { Compute, KernelBase, Kind } from "./kernel.ts";
import { contiguousView, placesOf, sliceView } from "./view.ts";

/** Where a piece lands: along each axis at start, start + step, … of the whole. Steps may be negative, not 0. */
export interface Place {
  readonly starts: readonly number[];
  readonly steps: readonly number[];
}

/** The pieces where they land, each point the sum of those that land there, in their order and from the first; 0 where none does. */
export interface AssembleKernel extends KernelBase {
  readonly kind: "assemble";
  /** Where each input, a piece, lands; its view is without bounds. */
  readonly places: readonly Place[];
}

/** A piece's shape and place. */
export interface Placed extends Place {
  readonly shape: Shape;
}

/**
 * Writes over a whole: of `zeros` everywhere; or of pieces that have no point in common, in any order. `mark` writes −0, which changes nothing that is
 * added to it, `copy` a piece, `add` a piece to what is there.
 */
export type AssemblePass = { readonly kind: "zeros" } | PiecePass;

/** A pass that writes pieces. */
export interface PiecePass {
  readonly kind: "mark" | "copy" | "add";
  readonly pieces: readonly number[];
}

/** What assembles float32 pieces (of another dtype, where no two of them have a point in common), one pass after another. */
export function assemblePasses(shape: Shape, pieces: readonly Placed[]): AssemblePass[] {
  const levels = levelsOf(pieces);
  const at = (level: number) => pieces.flatMap((_, i) => (levels[i] === level ? [i] : []));
  const first = at(0);
  const isCovered = first.reduce((sum, i) => sum + sizeOf(pieces[i].shape), 0) === sizeOf(shape);
  const later = pieces.flatMap((_, i) => (levels[i] > 0 ? [i] : []));
  const passes: AssemblePass[] = isCovered ? [] : [{ kind: "zeros" }];
  if (!isCovered && later.length > 0) passes.push({ kind: "mark", pieces: later });
  if (first.length > 0) passes.push({ kind: "copy", pieces: first });
  for (let level = 1; later.some((i) => levels[i] >= level); level++) passes.push({ kind: "add", pieces: at(level) });
  return passes;
}

/** Whether no two pieces have a point in common. */
export function areApart(pieces: readonly Placed[]): boolean {
  return levelsOf(pieces).every((level) => level === 0);
}

/** 0 for a piece that meets no earlier one, else one more than the highest of those it meets. */
function levelsOf(pieces: readonly Placed[]): number[] {
  const grids = pieces.map(gridOf);
  const cellsOf = byCells(grids);
  const cells = new Map<number, number[]>();
  const levels: number[] = [];
  grids.forEach((grid, i) => {
    let level = 0;
    const [first, last] = cellsOf(grid);
    for (let cell = first; cell <= last; cell++) {
      const earlier = remembered(cells, cell, () => []);
      for (const j of earlier) if (levels[j] >= level && meet(grids[j], grid)) level = levels[j] + 1;
      earlier.push(i);
    }
    levels.push(level);
  });
  return levels;
}

/**
 * Only pieces of one cell need to be held against each other: cells divide the axis along which most pieces begin apart, and are as wide as a piece is on
 * average, so that thousands of slices of one tensor aren't held against each other pair by pair.
 */
function byCells(grids: readonly Grid[]): (grid: Grid) => readonly [first: number, last: number] {
  const beginnings = (grids[0] ?? []).map((_, axis) => new Set(grids.map((grid) => grid[axis][0])).size);
  const axis = beginnings.indexOf(Math.max(...beginnings));
  if (axis < 0) return () => [0, 0];
  const width = Math.ceil(grids.reduce((sum, grid) => sum + grid[axis][1] - grid[axis][0] + 1, 0) / grids.length);
  return (grid) => [Math.floor(grid[axis][0] / width), Math.floor(grid[axis][1] / width)];
}

/** Along each axis: the first and the last point, and the distance from one to the next, 0 where there is one. */
type Grid = readonly (readonly [low: number, high: number, step: number])[];

function gridOf({ shape, starts, steps }: Placed): Grid {
  return shape.map((extent, axis) => {
    const way = (extent - 1) * steps[axis];
    const low = Math.min(starts[axis], starts[axis] + way);
    return [low, low + Math.abs(way), extent > 1 ? Math.abs(steps[axis]) : 0];
  });
}

/** Whether two grids can have a point in common: along each axis their ranges overlap, and their points can fall together. */
function meet(a: Grid, b: Grid): boolean {
  return a.every(([low, high, step], axis) => {
    const [otherLow, otherHigh, otherStep] = b[axis];
    if (low > otherHigh || otherLow > high) return false;
    const [distance, common] = [Math.abs(low - otherLow), greatestDivisor(step, otherStep)];
    return common === 0 ? distance === 0 : distance % common === 0;
  });
}

function greatestDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestDivisor(b, a % b);
}

/** The pieces of an assembly with their shapes. */
export function placedPieces({ inputs, places }: AssembleKernel): Placed[] {
  return places.map((place, i) => ({ ...place, shape: inputs[i].view.shape }));
}

/** The first piece that lands on a point is copied, so that no zero is added. */
function computeOf(shape: Shape, placed: readonly Placed[]): Compute {
  const places = placed.map((piece) =>
    placesOf(sliceView(contiguousView(shape), piece.starts, piece.steps, piece.shape)),
  );
  return (pieces, out) => {
    const landed = new Uint8Array(sizeOf(shape));
    out.fill(0);
    places.forEach((at, piece) => {
      at.forEach((to, i) => {
        out[to] = landed[to] ? out[to] + pieces[piece][i] : pieces[piece][i];
        landed[to] = 1;
      });
    });
  };
}

const isPlain = (step: number) => step === 1;

export const assemble: Kind<AssembleKernel> = {
  compute: (kernel) => computeOf(kernel.shape, placedPieces(kernel)),
  work: ({ shape }) => sizeOf(shape),
  flops: (kernel) =>
    assemblePasses(kernel.shape, placedPieces(kernel))
      .flatMap((pass) => (pass.kind === "add" ? pass.pieces : []))
      .reduce((sum, i) => sum + sizeOf(kernel.inputs[i].view.shape), 0),
  text: () => "out = each piece added where it lands, in this order, the first copied; 0 where none lands",
  inputText({ places }, i) {
    const { starts, steps } = places[i];
    return `, from [${starts.join(", ")}]${steps.every(isPlain) ? "" : ` in steps of [${steps.join(", ")}]`}`;
  },
  keepsElements: (kernel) => areApart(placedPieces(kernel)),
  otherOrder: {
    text: "pieces from the last to the first, in place of the written order",
    compute(kernel) {
      const compute = computeOf(kernel.shape, placedPieces(kernel).reverse());
      return (pieces, out, run) => compute([...pieces].reverse(), out, run);
    },
  },
};
