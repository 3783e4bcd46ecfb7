// Two digest chains compared: the first step at which they part, and what differs there. A chain's link holds all links before it, so that
// equal links prove equal pasts, and the first difference is found by bisection. Pure: no files.
import { float32FromBits, toHex } from "../core/canonical.ts";
import { ReproError } from "../core/errors.ts";
import type { ChainLink } from "./chain.ts";

/**
 * What differs in a link whose past is equal: `length`, one chain has no such step; `position`, the draws taken; `loss`, the loss's bits; `inputs`,
 * neither of these, so what went in: the graph, the seed, the data (at step 1), or the batch.
 */
export type DifferenceKind = "length" | "position" | "loss" | "inputs";

/** Where two chains part. */
export interface ChainDifference {
  /** The first step that differs, from 1. */
  readonly step: number;
  readonly kind: DifferenceKind;
  /** What each has there, for a reader: `loss 0.1 (3dcccccd)`. */
  readonly first: string;
  readonly second: string;
}

type Facts = readonly [kind: DifferenceKind, ...shown: string[]];

function loss({ lossBits }: ChainLink): string {
  return `loss ${float32FromBits(lossBits)} (${lossBits.toString(16).padStart(8, "0")})`;
}

function factsOf(a: ChainLink | undefined, b: ChainLink | undefined): Facts {
  if (!a || !b) return ["length", ...[a, b].map((link) => (link ? `step ${link.step}` : "no such step"))];
  if (a.position !== b.position) return ["position", ...[a, b].map(({ position }) => `stream position ${position}`)];
  if (a.lossBits !== b.lossBits) return ["loss", ...[a, b].map(loss)];
  return ["inputs", ...[a, b].map(({ hash }) => `link ${toHex(hash)}`)];
}

const sameLink = (a: ChainLink | undefined, b: ChainLink | undefined): boolean =>
  a !== undefined && b !== undefined && a.hash.every((byte, i) => byte === b.hash[i]);

/** The difference of one step's links, those before being equal; undefined where there is none. */
export function compareLinks(
  step: number,
  a: ChainLink | undefined,
  b: ChainLink | undefined,
): ChainDifference | undefined {
  const sameFacts = a?.position === b?.position && a?.lossBits === b?.lossBits;
  if ((!a && !b) || (sameLink(a, b) && sameFacts)) return undefined;
  const [kind, first, second] = factsOf(a, b);
  return { step, kind, first, second };
}

/** Where two chains, links from step 1 on, part; undefined where they are the same to the end. */
export function compareChains(a: readonly ChainLink[], b: readonly ChainLink[]): ChainDifference | undefined {
  // The links before `low` are equal; those from `high` on differ, or one chain has ended.
  let [low, high] = [0, Math.min(a.length, b.length)];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (sameLink(a[middle], b[middle])) low = middle + 1;
    else high = middle;
  }
  return compareLinks(low + 1, a[low], b[low]);
}

/** The error that names a difference: `first` is what was found, `second` what should have been. */
export function differenceError(
  { step, kind, first, second }: ChainDifference,
  { hint }: { hint?: string } = {},
): ReproError {
  const problems: Record<DifferenceKind, string> = {
    length: "one of two runs ends before the other",
    position: "two runs that were equal up to here take different draws",
    loss: "two runs that were equal up to here have different losses",
    inputs: "two runs that were equal up to here take in different graphs, seeds or data",
  };
  return new ReproError({ where: `step ${step}`, problem: problems[kind], got: first, expected: second, hint });
}
