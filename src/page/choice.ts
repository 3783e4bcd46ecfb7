// What a reader chose, and the link that says it: `#preset=mnist-mlp&seed=1234`.
import type { Threads } from "../backend/load.ts";
import { backendNames } from "../backend/load.ts";
import { ConfigError, didYouMean, showValue } from "../core/errors.ts";
import { presets, publishedOf } from "./presets.ts";

export interface Choice {
  readonly preset: string;
  readonly seed: bigint;
  readonly threads: Threads;
  readonly backend: string;
  /** At most so many optimizer steps; undefined: the preset's own number. */
  readonly steps: number | undefined;
}

/** A page's that was opened without a link. */
export const firstChoice: Choice = {
  preset: Object.keys(presets)[0],
  seed: publishedOf(Object.keys(presets)[0])?.seed ?? 1234n,
  threads: "all",
  backend: "wasm",
  steps: undefined,
};

const wrong = (where: string, got: string, expected: string, hint?: string) =>
  new ConfigError({ where, problem: "not a value of it", got: showValue(got), expected, hint });

/** An integer of decimal digits in [least, bound). Throws ConfigError. */
function integer(where: string, text: string, least: bigint, bound: bigint): bigint {
  const value = /^\d{1,20}$/.test(text) ? BigInt(text) : -1n;
  if (value >= least && value < bound) return value;
  throw wrong(where, text, `an integer in [${least}, ${bound})`);
}

function oneOf(where: string, text: string, names: readonly string[]): string {
  if (names.includes(text)) return text;
  throw wrong(where, text, names.join(", "), didYouMean(text, names));
}

/** Each part from its text. */
const read: { readonly [K in keyof Choice]: (text: string) => Choice[K] } = {
  preset: (text) => oneOf("preset", text, Object.keys(presets)),
  seed: (text) => integer("seed", text, 0n, 1n << 64n),
  threads: (text) => (text === "all" ? text : Number(integer("threads", text, 1n, 65n))),
  backend: (text) => oneOf("backend", text, backendNames),
  steps: (text) => (text === "" ? undefined : Number(integer("steps", text, 1n, 1n << 31n))),
};
const keys = Object.keys(read) as (keyof Choice)[];

/** The choice whose parts are given as texts; those that aren't are the first choice's. Throws ConfigError. */
export function choiceOf(texts: Readonly<Record<string, string>>): Choice {
  for (const key of Object.keys(texts)) oneOf("link", key, keys);
  const given = keys.filter((key) => texts[key] !== undefined).map((key) => [key, read[key](texts[key].trim())]);
  return { ...firstChoice, ...Object.fromEntries(given) };
}

/** The choice that a link's hash says. Throws ConfigError. */
export function choiceOfLink(hash: string): Choice {
  return choiceOf(Object.fromEntries(new URLSearchParams(hash.replace(/^#/, ""))));
}

/** A link's hash: preset and seed, and what else differs from the first choice. */
export function linkOf(choice: Choice): string {
  const said = keys.filter((key) => key === "preset" || key === "seed" || choice[key] !== firstChoice[key]);
  return `#${new URLSearchParams(said.map((key) => [key, String(choice[key])]))}`;
}
