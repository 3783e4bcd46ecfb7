// The three regions of a run's one stream. They are far enough apart that none reaches the next, and near enough to be uncorrelated: draws 2⁴³ apart
// and more begin to look alike, so the last region ends there.

/** A part [from, to) of the stream, and who draws from it. */
export interface Region {
  readonly name: "program" | "data" | "watching";
  readonly from: number;
  readonly to: number;
}

/** Loaders of training draw from here on: orders of the data, whatever the program draws. */
export const dataOffset = 2 ** 41;
/** Validation, prediction and all that only looks draws from here on, anew each time. */
export const watchOffset = 2 ** 42;

/** In the order of their draws: the model callable and the steps; training data; all that watches. */
export const regions: readonly Region[] = [
  { name: "program", from: 0, to: dataOffset },
  { name: "data", from: dataOffset, to: watchOffset },
  { name: "watching", from: watchOffset, to: 2 ** 43 },
];

/** The region of a position; the last one for a position past its end. */
export function regionOf(position: number): Region {
  return regions.find(({ to }) => position < to) ?? regions[regions.length - 1];
}
