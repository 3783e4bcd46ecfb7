// Two digest chains compared: the first step at which they part, and what differs there. A chain's link holds all links before it, so that
// equal links prove equal pasts, and the first difference is found by bisection. Pure: no files.
import { float32FromBits, toHex } from "../core/canonical.ts";
import { ReproError } from "../core/errors.ts";
import { ownValue } from "../core/keys.ts";
import { compareUtf8 } from "../core/utf8.ts";
import type { ChainLink } from "./chain.ts";

/**
 * What differs in a link whose past is equal, the first that does of: `length`, one chain has no such step; `graph`, the program; `batch`, the samples;
 * `given`, numbers from the host such as learning rates; `position`, the draws taken; `loss`, the loss's bits; `origin`, none of these, so what the
 * chain began with (at step 1): the seed, the data, the numerics.
 */
export type DifferenceKind = "length" | "graph" | "batch" | "given" | "position" | "loss" | "origin";

/** Where two chains part. */
export interface ChainDifference {
  /** The first step that differs, from 1. */
  readonly step: number;
  readonly kind: DifferenceKind;
  /** What each has there, all that differs, for a reader: `groups/0/learningRate 0.01 (3c23d70a), loss 0.1 (3dcccccd)`. */
  readonly first: string;
  readonly second: string;
}

const bitsOf = (bits: number): string => `${float32FromBits(bits)} (${bits.toString(16).padStart(8, "0")})`;

/** The numbers that only one link has, or has otherwise, for a reader. */
function numbersOf(link: ChainLink, other: ChainLink): string {
  const names = new Set([...Object.keys(link.numbers), ...Object.keys(other.numbers)]);
  const differing = [...names]
    .filter((name) => ownValue(link.numbers, name) !== ownValue(other.numbers, name))
    .sort(compareUtf8);
  const shown = differing.slice(0, shownNumbers).map((name) => {
    const bits = ownValue(link.numbers, name);
    return `${name} ${bits === undefined ? "none" : bitsOf(bits)}`;
  });
  const more = differing.length - shown.length;
  return [...(shown.length > 0 ? shown : [`given ${link.given}`]), ...(more > 0 ? [`${more} more`] : [])].join(", ");
}

/** So many numbers are shown of those that differ. */
const shownNumbers = 4;

type Fact = readonly [kind: DifferenceKind, same: (a: ChainLink, b: ChainLink) => boolean, show: typeof numbersOf];

/** Whether the same numbers were given: all by their digest, and those one by one that both links have. */
const sameNumbers = (a: ChainLink, b: ChainLink): boolean =>
  a.given === b.given &&
  Object.entries(a.numbers).every(([name, bits]) => (ownValue(b.numbers, name) ?? bits) === bits);

/** What a link holds, what went in before what came out. */
const facts: readonly Fact[] = [
  ["graph", (a, b) => a.graph === b.graph, ({ graph }) => `graph ${graph}`],
  ["batch", (a, b) => a.batch === b.batch, ({ batch }) => `batch ${batch}`],
  ["given", sameNumbers, numbersOf],
  ["position", (a, b) => a.position === b.position, ({ position }) => `stream position ${position}`],
  ["loss", (a, b) => a.lossBits === b.lossBits, ({ lossBits }) => `loss ${bitsOf(lossBits)}`],
];

const sameLink = (a: ChainLink | undefined, b: ChainLink | undefined): boolean =>
  a !== undefined && b !== undefined && a.hash.every((byte, i) => byte === b.hash[i]);

/** The difference of one step's links, those before being equal; undefined where there is none. */
export function compareLinks(
  step: number,
  a: ChainLink | undefined,
  b: ChainLink | undefined,
): ChainDifference | undefined {
  if (!a && !b) return undefined;
  if (!a || !b) {
    const [first, second] = [a, b].map((link) => (link ? `step ${link.step}` : "no such step"));
    return { step, kind: "length", first, second };
  }
  const differing = facts.filter(([, same]) => !same(a, b));
  if (differing.length > 0) {
    const [[kind]] = differing;
    const show = (x: ChainLink, y: ChainLink) => differing.map(([, , shown]) => shown(x, y)).join(", ");
    return { step, kind, first: show(a, b), second: show(b, a) };
  }
  if (sameLink(a, b)) return undefined;
  return { step, kind: "origin", first: `link ${toHex(a.hash)}`, second: `link ${toHex(b.hash)}` };
}

/** The first step at which two chains that began with something else hold other facts; undefined where none shows. Their links differ from the first on. */
export function firstShown(a: readonly ChainLink[], b: readonly ChainLink[]): number | undefined {
  const at = a.findIndex((link, i) => b[i] && facts.some(([, same]) => !same(link, b[i])));
  return at < 0 ? undefined : at + 1;
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
    graph: "two runs that were equal up to here run different graphs",
    batch: "two runs that were equal up to here are given different samples",
    given: "two runs that were equal up to here are given different numbers by the host",
    origin: "two runs begin with different seeds, data or numerics",
  };
  return new ReproError({ where: `step ${step}`, problem: problems[kind], got: first, expected: second, hint });
}
