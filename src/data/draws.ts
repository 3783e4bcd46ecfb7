// Where a training loader draws: its part of the stream's data region. A range is a function of the loader's number and the epoch alone, so the order
// of the data doesn't depend on what a model draws, on where a run was resumed, or on how long it is.
import { checkArguments, count, kind, number, signature } from "../core/arguments.ts";
import { DataError, refuse, StreamError } from "../core/errors.ts";
import { dataOffset } from "../rng/regions.ts";

/** Where an epoch's draws begin in the seed's stream. */
export interface EpochDraws {
  readonly seed: bigint;
  readonly offset: number;
}

/** Draws of one loader in all. */
const perLoader = 2 ** 38;
/** The first of them: for what is drawn before epoch 0, such as a random split. */
const beforeEpochs = 2 ** 30;
/** Loaders that the data region has room for. */
const mostLoaders = 8;

/** Where a range of draws before epoch 0, which ends `end` draws after the region's beginning, begins in the stream. Throws StreamError where there is no room for it. */
export function splitOffset(name: string, begin: number, end: number): number {
  if (end <= beforeEpochs) return dataOffset + begin;
  throw new StreamError({
    where: `dataset ${name}`,
    problem: "too many samples to split: the draws before epoch 0 are used up",
    got: `${end} draws`,
    expected: `at most ${beforeEpochs}`,
  });
}

const call = signature("data.epochDraws", {
  loader: kind("a data loader", (value) => {
    const { name, drawsPerEpoch } = (value ?? {}) as Partial<Parameters<typeof epochDraws>[0]>;
    return typeof name === "string" && typeof drawsPerEpoch === "number";
  }),
  seed: kind("a seed: a bigint", (value) => typeof value === "bigint"),
  epoch: count,
  "number?": number,
});

/**
 * The draws of an epoch (from 0) of a run's training loader `number`: 0 is the one that `fit` is given. They begin at
 * 2⁴¹ + number · 2³⁸ + 2³⁰ + epoch · drawsPerEpoch. Throws StreamError where they would leave the loader's part of the stream, and DataError for a
 * loader whose draws per epoch aren't a count.
 */
export function epochDraws(
  loader: { readonly name: string; readonly drawsPerEpoch: number },
  seed: bigint,
  epoch: number,
  number = 0,
): EpochDraws {
  checkArguments(call, arguments);
  const { name, drawsPerEpoch } = loader;
  const where = `loader ${name}`;
  if (!Number.isSafeInteger(drawsPerEpoch) || drawsPerEpoch < 0)
    refuse(DataError, `${where}: drawsPerEpoch`, "not a number of draws", drawsPerEpoch, "an integer ≥ 0");
  if (!Number.isSafeInteger(number) || number < 0 || number >= mostLoaders) {
    throw new StreamError({
      where,
      problem: "the stream's data region has no part for this loader",
      got: `loader ${number}`,
      expected: `an integer in [0, ${mostLoaders})`,
    });
  }
  const from = dataOffset + number * perLoader;
  const to = from + perLoader;
  const offset = from + beforeEpochs + epoch * drawsPerEpoch;
  if (!(epoch >= 0 && offset + drawsPerEpoch <= to)) {
    throw new StreamError({
      where,
      problem: "its part of the stream's data region is used up",
      got: `epoch ${epoch} of ${drawsPerEpoch} draws each, which ends at draw ${offset + drawsPerEpoch}`,
      expected: `an end of at most ${to}`,
      hint: "start a run with another seed",
    });
  }
  return { seed, offset };
}
