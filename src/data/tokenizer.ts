// A byte-pair tokenizer (Sennrich et al. 2016, on bytes as GPT-2's): tokens 0 to 255 are bytes, each later one is two earlier ones side by side. Training depends on the text
// alone, ties included, and on nothing that engines know of Unicode.

import { readText, writeAtomic } from "#files";
import { checkArguments, kind, signature, string, typedArray } from "../core/arguments.ts";
import { sha256Hex } from "../core/canonical.ts";
import { DataError, refuse, showValue } from "../core/errors.ts";
import { type Given, numberOf, options as optionsOf } from "../core/options.ts";
import { remembered } from "../core/remembered.ts";
import { parseFileJson } from "../io/json.ts";
import type { Characters } from "./dataset.ts";

/** Two tokens that become one. */
export type Merge = readonly [left: number, right: number];

/** As many as a pair's key has room for. */
const mostTokens = 2 ** 20;
/** Bytes of a token: each merge may double them, so that a few dozen come to more than any memory holds. */
const longestToken = 2 ** 24;
const bytes = 256;

/** How many tokens there are to be: 256 bytes and the merges. */
export const tokenCount = numberOf(`an integer in [${bytes}, 2^20]`, { integer: true, least: bytes, most: mostTokens });

const record = optionsOf("tokenizer", "data.trainTokenizer", { tokens: tokenCount });
export type TokenizerOptions = Given<typeof record>;

const isMerge = (value: unknown): value is Merge =>
  Array.isArray(value) && value.length === 2 && value.every((token) => Number.isSafeInteger(token) && token >= 0);
const calls = {
  train: record.call({ text: string }),
  make: signature("BytePairTokenizer", {
    merges: kind("a list of pairs of tokens", (value) => Array.isArray(value) && value.every(isMerge)),
  }),
  encode: signature("encode", { text: string }),
  decode: signature("decode", {
    ids: kind("a list of numbers", (value) => Array.isArray(value) || typedArray.accepts(value)),
  }),
  save: signature("save", { path: string }),
  load: signature("data.loadTokenizer", { path: string }),
};

/**
 * Text is cut before it is merged, so that no token reaches over these borders: letters (ASCII's, and all from U+0080 on), digits, other marks, each with one space before it, and white space. Classes of
 * Unicode aren't used: engines differ in its version.
 */
const pieces =
  / ?[A-Za-z\u0080-\u{10ffff}]+| ?[0-9]+| ?[^ \t-\rA-Za-z0-9\u0080-\u{10ffff}]+|[ \t-\r]+(?![^ \t-\r])|[ \t-\r]+/gu;

const keyOf = (left: number, right: number): number => left * mostTokens + right;

/** Tokens of a text by number: its bytes, and the pairs of tokens that were merged, in that order (Sennrich et al. 2016; over bytes as GPT-2). */
export class BytePairTokenizer implements Characters {
  /** In the order they are made: the first becomes token 256. */
  readonly merges: readonly Merge[];
  /** What each token stands for, a character of code 0 to 255 for a byte. */
  readonly characters: readonly string[];
  readonly #ranks: ReadonlyMap<number, number>;
  readonly #known = new Map<string, readonly number[]>();

  /** Throws DataError for a merge of tokens that aren't there yet, for two of the same pair, and for a token of more than 2²⁴ bytes. */
  constructor(merges: readonly Merge[]) {
    checkArguments(calls.make, arguments);
    const characters = Array.from({ length: bytes }, (_, byte) => String.fromCharCode(byte));
    const ranks = new Map<number, number>();
    for (const [i, [left, right]] of merges.entries()) {
      const known = ranks.has(keyOf(left, right));
      if (known || left >= characters.length || right >= characters.length) {
        throw new DataError({
          where: `tokenizer: merge ${i}`,
          problem: known ? "the same pair as an earlier one" : "a token that isn't there yet",
          got: `${left}, ${right}`,
          expected: `tokens in [0, ${characters.length})`,
        });
      }
      const length = characters[left].length + characters[right].length;
      if (length > longestToken)
        refuse(DataError, `tokenizer: merge ${i}`, "too long a token", `${length} bytes`, `at most ${longestToken}`);
      ranks.set(keyOf(left, right), characters.length);
      characters.push(characters[left] + characters[right]);
    }
    this.merges = merges.map(([left, right]) => [left, right]);
    this.characters = characters;
    this.#ranks = ranks;
  }

  /** How many tokens there are. */
  get size(): number {
    return this.characters.length;
  }

  /** SHA-256 of the merges, 64 hex digits. */
  get digest(): string {
    return sha256Hex(new TextEncoder().encode(JSON.stringify(this.merges)));
  }

  /** The tokens of a text, of its UTF-8 bytes; in each piece the earliest merge first, from the left. */
  encode(text: string): Int32Array {
    checkArguments(calls.encode, arguments);
    const ids: number[] = [];
    for (const [piece] of text.matchAll(pieces)) {
      for (const id of remembered(this.#known, piece, () => this.#merged(piece))) ids.push(id);
    }
    return Int32Array.from(ids);
  }

  #merged(piece: string): readonly number[] {
    let ids: readonly number[] = Array.from(new TextEncoder().encode(piece));
    for (;;) {
      let first = Infinity;
      for (let i = 1; i < ids.length; i++)
        first = Math.min(first, this.#ranks.get(keyOf(ids[i - 1], ids[i])) ?? Infinity);
      if (first === Infinity) return ids;
      ids = joined(ids, this.merges[first - bytes], first);
    }
  }

  /** The text of tokens. Bytes that aren't UTF-8, as of a character that is cut, become U+FFFD. Throws DataError for what is no token. */
  decode(ids: ArrayLike<number> & Iterable<number>): string {
    checkArguments(calls.decode, arguments);
    const text = Array.from(ids, (id) => {
      if (this.characters[id] !== undefined) return this.characters[id];
      refuse(DataError, "tokenizer", "no token has this number", showValue(id), `an integer in [0, ${this.size})`);
    }).join("");
    return new TextDecoder("utf-8", { ignoreBOM: true }).decode(Uint8Array.from(text, (byte) => byte.charCodeAt(0)));
  }

  /** What `save` writes. */
  get json(): string {
    return `${JSON.stringify({ format: 1, merges: this.merges })}\n`;
  }

  /** Writes the merges to a file as JSON, all at once. Throws CheckpointError. */
  save(path: string): void {
    checkArguments(calls.save, arguments);
    writeAtomic(path, new TextEncoder().encode(this.json));
  }
}

/** The tokenizer in a file that `save` wrote, or a run. Throws DataError for another kind of file. */
export function loadTokenizer(path: string): BytePairTokenizer {
  checkArguments(calls.load, arguments);
  let value: unknown;
  try {
    value = parseFileJson(readText(path));
  } catch (cause) {
    if (cause instanceof DataError) throw cause;
    throw new DataError({ where: path, problem: "not JSON", got: (cause as Error).message, cause });
  }
  const { format, merges } = (value ?? {}) as { format?: unknown; merges?: unknown };
  if (format === 1 && Array.isArray(merges) && merges.every(isMerge)) return new BytePairTokenizer(merges);
  refuse(DataError, path, "not a tokenizer", undefined, '{"format": 1, "merges": [[left, right], …]}');
}

/**
 * A tokenizer of a text, which merges, again and again, the pair of neighbouring tokens that is there most often; of several the one whose left token, then whose right one, has the lowest number. It ends with so many
 * tokens, or where no pair is there twice. Throws ConfigError for a number of tokens below 256.
 */
export function trainTokenizer(text: string, options: TokenizerOptions): BytePairTokenizer {
  checkArguments(calls.train, arguments);
  const { tokens } = options;
  const counts = new Map<string, number>();
  for (const [piece] of text.matchAll(pieces)) counts.set(piece, (counts.get(piece) ?? 0) + 1);
  const words = [...counts].map(([piece, count]) => ({ ids: Array.from(new TextEncoder().encode(piece)), count }));
  const pairs = new Map<number, { count: number; words: Set<number> }>();
  const add = (index: number, sign: 1 | -1) => {
    const { ids, count } = words[index];
    for (let i = 1; i < ids.length; i++) {
      const key = keyOf(ids[i - 1], ids[i]);
      const pair = pairs.get(key) ?? { count: 0, words: new Set() };
      pair.count += sign * count;
      if (sign > 0) pair.words.add(index);
      pairs.set(key, pair);
    }
  };
  words.forEach((_, index) => {
    add(index, 1);
  });
  const merges: Merge[] = [];
  while (bytes + merges.length < tokens) {
    let [best, most] = [-1, 1];
    for (const [key, { count }] of pairs)
      if (count > most || (count === most && best >= 0 && key < best)) [best, most] = [key, count];
    if (best < 0) break;
    const merge: Merge = [Math.floor(best / mostTokens), best % mostTokens];
    for (const index of pairs.get(best)!.words) {
      add(index, -1);
      words[index].ids = joined(words[index].ids, merge, bytes + merges.length);
      add(index, 1);
    }
    pairs.delete(best);
    merges.push(merge);
  }
  return new BytePairTokenizer(merges);
}

/** Tokens with each such pair, from the left, as one. */
function joined(ids: readonly number[], [left, right]: Merge, id: number): number[] {
  const out: number[] = [];
  for (let i = 0; i < ids.length; i++) {
    const found = ids[i] === left && ids[i + 1] === right;
    out.push(found ? id : ids[i]);
    if (found) i++;
  }
  return out;
}
