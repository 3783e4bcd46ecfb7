// Passes of an assembly: each piece is added after all earlier ones that it may meet, whichever of them are held against each other.
import { expect, test } from "vitest";
import { areApart, assemblePasses, type Placed } from "../../kernels/assemble.ts";
import { testWords } from "../support/graphs.ts";

const extent = 40;

function randomPieces(count: number, next: () => number): Placed[] {
  return Array.from({ length: count }, () => {
    const axes = [0, 1].map(() => {
      const size = 1 + (next() % 6);
      const step = (1 + (next() % 3)) * (next() % 2 ? 1 : -1);
      const reach = (size - 1) * Math.abs(step);
      const low = next() % (extent - reach);
      return { size, step, start: step > 0 ? low : low + reach };
    });
    return {
      shape: axes.map(({ size }) => size),
      starts: axes.map(({ start }) => start),
      steps: axes.map(({ step }) => step),
    };
  });
}

/** The points of a piece, row-major in the whole. */
const pointsOf = ({ shape, starts, steps }: Placed): number[] =>
  Array.from({ length: shape[0] * shape[1] }, (_, i) => {
    const [row, column] = [Math.floor(i / shape[1]), i % shape[1]];
    return (starts[0] + row * steps[0]) * extent + starts[1] + column * steps[1];
  });

test("pieces of one pass have no point in common, and each comes after the earlier ones that it meets", () => {
  const next = testWords(5);
  for (let round = 0; round < 60; round++) {
    const pieces = randomPieces(1 + (next() % 60), next);
    const points = pieces.map(pointsOf);
    const passOf = new Map<number, number>();
    assemblePasses([extent, extent], pieces).forEach((pass, at) => {
      if (pass.kind === "copy" || pass.kind === "add") for (const i of pass.pieces) passOf.set(i, at);
    });
    expect(passOf.size).toBe(pieces.length);
    const owners = new Map<number, number[]>();
    points.forEach((all, i) => {
      for (const point of all) owners.set(point, [...(owners.get(point) ?? []), i]);
    });
    for (const sharing of owners.values())
      for (let k = 1; k < sharing.length; k++)
        expect(passOf.get(sharing[k])).toBeGreaterThan(passOf.get(sharing[k - 1])!);
    if ([...owners.values()].some(({ length }) => length > 1)) expect(areApart(pieces)).toBe(false);
  }
});

test("thousands of slices of one axis are one copy", () => {
  const count = 20_000;
  const pieces = Array.from({ length: count }, (_, i) => ({ shape: [1, 8], starts: [i, 0], steps: [1, 1] }));
  expect(assemblePasses([count, 8], pieces)).toEqual([{ kind: "copy", pieces: pieces.map((_, i) => i) }]);
});
