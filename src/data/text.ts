// Text as characters by number: windows of it for models that tell the next character. The vocabulary is the whole text's code points in
// ascending order, so it doesn't depend on the split.

import { readText } from "#files";
import { checkArguments, kind, signature, string } from "../core/arguments.ts";
import { sha256Hex } from "../core/canonical.ts";
import type { TypedArray } from "../core/dtype.ts";
import { ConfigError, DataError, refuse, showValue } from "../core/errors.ts";
import { code, countOf, either, filePath, type Given, options as optionsOf, share, word } from "../core/options.ts";
import { portion } from "../core/portion.ts";
import { named } from "../core/things.ts";
import type { Characters, Dataset } from "./dataset.ts";
import { BytePairTokenizer, loadTokenizer, tokenCount, trainTokenizer } from "./tokenizer.ts";

/** What windows of a text are made by. */
export const textFields = {
  /** How many characters a sample shows. */
  context: countOf("characters"),
  /** `train`: the text up to the split; `validation`: the rest. All of it if left out. */
  split: word("train", "validation").optional(),
  /** The share of the characters, from the end, that is for validation: in (0, 1); 0.1 unless given. */
  validationFraction: share.optional(),
  /** From one sample's first character to the next one's; `context` unless given, so that samples share no target. */
  stride: countOf("characters").optional(),
  /** Trains a byte-pair tokenizer of so many tokens on the text up to the split, and counts in tokens where without it characters are counted. */
  tokens: tokenCount.optional(),
  /** A tokenizer, or the path of its file: counts in its tokens. */
  tokenizer: either(
    filePath,
    code<BytePairTokenizer>(kind("a tokenizer", (value) => value instanceof BytePairTokenizer)),
    "a tokenizer, or the path of its file",
  ).optional(),
} as const;
export type TextOptions = Given<{ readonly fields: typeof textFields }>;

const calls = {
  Vocabulary: signature("Vocabulary", { text: string }),
  encode: signature("encode", { text: string }),
  decode: signature("decode", {
    ids: kind(
      "a list of numbers",
      (value) =>
        typeof value !== "string" && typeof (value as Iterable<number> | null)?.[Symbol.iterator] === "function",
    ),
  }),
  textWindows: optionsOf("text", "data.textWindows", textFields).call({ name: string, text: string }),
  textDataset: optionsOf("text", "data.textDataset", textFields).call({ path: string }),
};

/** The code points of a text, in order: a book has a million, and a string each would take ten times as long. */
function codePoints(text: string): Int32Array {
  const points = new Int32Array(text.length);
  let count = 0;
  for (let at = 0; at < text.length; at += lengthOf(points[count++])) points[count] = text.codePointAt(at)!;
  return points.subarray(0, count);
}

/** How many UTF-16 units a code point has. */
const lengthOf = (point: number): number => (point > 0xffff ? 2 : 1);

/** Characters by number: the code points of a text, ascending. */
export class Vocabulary implements Characters {
  readonly characters: readonly string[];
  readonly #ids: ReadonlyMap<number, number>;

  constructor(text: string) {
    checkArguments(calls.Vocabulary, arguments);
    const points = [...new Set(codePoints(text))].sort((a, b) => a - b);
    this.characters = points.map((point) => String.fromCodePoint(point));
    this.#ids = new Map(points.map((point, id) => [point, id]));
  }

  /** How many characters there are. */
  get size(): number {
    return this.characters.length;
  }

  /** A number a character. Throws DataError for one that isn't in the vocabulary. */
  encode(text: string): Int32Array {
    checkArguments(calls.encode, arguments);
    return codePoints(text).map((point) => {
      const id = this.#ids.get(point);
      if (id !== undefined) return id;
      throw new DataError({
        where: "vocabulary",
        problem: "a character that isn't in it",
        got: JSON.stringify(String.fromCodePoint(point)),
        expected: `one of ${JSON.stringify(this.characters.join(""))}`,
      });
    });
  }

  /** The text of numbers in [0, size). Throws DataError for others. */
  decode(ids: Iterable<number>): string {
    checkArguments(calls.decode, arguments);
    return Array.from(ids, (id) => {
      if (this.characters[id] !== undefined) return this.characters[id];
      refuse(DataError, "vocabulary", "no character has this number", showValue(id), `an integer in [0, ${this.size})`);
    }).join("");
  }
}

/** Windows of a text, and the numbers of its characters or tokens. */
export interface TextDataset extends Dataset {
  readonly vocabulary: Vocabulary | BytePairTokenizer;
}

/** The text up to the split, and what follows. */
function partsOf(text: string, validationFraction: number): readonly [train: string, validation: string] {
  const points = codePoints(text);
  const border = Math.floor(portion(1 - validationFraction, points.length));
  const units = points.subarray(0, border).reduce((sum, point) => sum + lengthOf(point), 0);
  return [text.slice(0, units), text.slice(units)];
}

/** The tokenizer that a text is read with, if any: given, of a file, or trained on the text up to the split. Throws ConfigError for two of these. */
function tokenizerOf(name: string, train: string, { tokens, tokenizer }: TextOptions): BytePairTokenizer | undefined {
  if (tokens !== undefined && tokenizer !== undefined) {
    throw new ConfigError({
      where: `text ${name}: tokens`,
      problem: "a tokenizer to train, and one that is given",
      got: "tokens and tokenizer",
      expected: "one of them",
    });
  }
  if (tokens !== undefined) return trainTokenizer(train, { tokens });
  return typeof tokenizer === "string" ? loadTokenizer(tokenizer) : tokenizer;
}

/**
 * Windows of a text in memory: `inputs` [context] int32 and `targets` [context] int32, the characters that follow each. Throws ConfigError for
 * sizes that aren't, DataError for a text that doesn't hold one window.
 */
export function textWindows(name: string, text: string, options: TextOptions): TextDataset {
  checkArguments(calls.textWindows, arguments);
  const { context, split, validationFraction = 0.1, stride = context } = options;
  const [train, validation] = partsOf(text, validationFraction);
  const tokenizer = tokenizerOf(name, split === undefined ? text : train, options);
  const vocabulary = tokenizer ?? new Vocabulary(text);
  const ids = vocabulary.encode(split === "train" ? train : split === "validation" ? validation : text);
  const size = Math.floor((ids.length - context - 1) / stride) + 1;
  if (size < 1) {
    throw new DataError({
      where: `text ${name}`,
      problem: `${split ? `the ${split} part` : "the text"} is shorter than one sample`,
      got: `${ids.length} ${tokenizer ? "tokens" : "characters"}`,
      expected: `at least ${context + 1}: a context of ${context} and the ${tokenizer ? "token" : "character"} after it`,
    });
  }
  const window = (shift: number) => ({
    shape: [context],
    dtype: "int32" as const,
    read(indices: Int32Array, out: TypedArray) {
      indices.forEach((index, row) => {
        const from = index * stride + shift;
        out.set(ids.subarray(from, from + context), row * context);
      });
    },
  });
  return {
    name: split ? `${name}/${split}` : name,
    size,
    fields: { inputs: window(0), targets: window(1) },
    digests: {
      [`${name}/text`]: sha256Hex(new TextEncoder().encode(text)),
      ...(tokenizer && { [`${name}/tokenizer`]: tokenizer.digest }),
    },
    vocabulary,
  };
}

/** Windows of a UTF-8 file. Throws DataError where it can't be read or is too short, ConfigError for sizes that aren't. */
export const textDataset: (path: string, options: TextOptions) => TextDataset = named(
  optionsOf("text", {
    /** The text's path, UTF-8. */
    file: filePath,
    ...textFields,
  }),
  function (path: string, options: TextOptions): TextDataset {
    checkArguments(calls.textDataset, arguments);
    return textWindows(path.split(/[\\/]/).pop()!, readText(path), options);
  },
  ({ file, ...options }) => textDataset(file, options),
);
