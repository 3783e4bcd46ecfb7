// The byte-pair tokenizer: published examples, an independent implementation in Python, round trips, files, and a run that keeps it. And text in JSON lines.
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ConfigError, DataError } from "../../src/core/errors.ts";
import {
  BytePairTokenizer,
  type Dataset,
  dataLoader,
  jsonlDataset,
  loadTokenizer,
  textWindows,
  trainTokenizer,
} from "../../src/data/index.ts";
import * as nn from "../../src/nn/index.ts";
import { loaders } from "../../src/train/config/families.ts";
import { temporaryFolder } from "../support/folder.ts";
import { resumed } from "../support/resumed.ts";
import { root } from "../support/sources.ts";
import { toyOptions, toyTrainer } from "../support/toy.ts";

const book = "It was the best of times, it was the worst of times, it was the age of wisdom… 42 times. ".repeat(4);

describe("training", () => {
  test("Wikipedia's example of byte-pair encoding: aaabdaaabac becomes XdXac", () => {
    const tokenizer = trainTokenizer("aaabdaaabac", { tokens: 256 + 3 });
    expect(Array.from(tokenizer.encode("aaabdaaabac"))).toEqual([258, 100, 258, 97, 99]);
    expect(tokenizer.characters.slice(256)).toEqual(["aa", "ab", "aaab"]);
  });

  test("Sennrich, Haddow and Birch's example: low, lower, newest, widest", () => {
    const words = { low: 5, lower: 2, newest: 6, widest: 3 };
    const text = Object.entries(words)
      .map(([word, count]) => `${word}\n`.repeat(count))
      .join("");
    const { characters } = trainTokenizer(text, { tokens: 256 + 5 });
    // The paper's first merges: e s, es t (and the end of the word, which is a piece of its own here), l o, lo w.
    expect(characters.slice(256, 260)).toEqual(["es", "est", "lo", "low"]);
  });

  test("ties go to the lowest tokens, and no pair that is there once is merged", () => {
    expect(trainTokenizer("cd\nab\ncd\nab", { tokens: 300 }).merges).toEqual([
      [97, 98],
      [99, 100],
    ]);
    expect(trainTokenizer("abcdef", { tokens: 300 }).merges).toEqual([]);
  });

  test("a plain implementation in Python, which counts anew each time, merges the same", () => {
    const script = `
import re, sys, json
text = sys.stdin.buffer.read().decode()
pattern = r" ?[A-Za-z\\u0080-\\U0010ffff]+| ?[0-9]+| ?[^ \\t-\\rA-Za-z0-9\\u0080-\\U0010ffff]+|[ \\t-\\r]+(?![^ \\t-\\r])|[ \\t-\\r]+"
words = [list(piece.encode()) for piece in re.findall(pattern, text)]
merges = []
for token in range(256, 356):
    counts = {}
    for word in words:
        for pair in zip(word, word[1:]):
            counts[pair] = counts.get(pair, 0) + 1
    pair = min(counts, key=lambda pair: (-counts[pair], pair))
    if counts[pair] < 2: break
    merges.append(pair)
    for i, word in enumerate(words):
        out = []
        while word:
            if tuple(word[:2]) == pair: out.append(token); word = word[2:]
            else: out.append(word[0]); word = word[1:]
        words[i] = out
print(json.dumps([merges, [token for word in words for token in word]]))`;
    const text = `${readFileSync(`${root}README.md`, "utf8").slice(0, 6000)} naïve — 数字 🎲🎲 \t\n x`;
    const { stdout, error } = spawnSync("python3", ["-c", script], {
      input: text,
      encoding: "utf8",
      maxBuffer: 2 ** 24,
    });
    if (error && process.env.CI) throw new Error("no python3 in CI");
    if (error) return;
    const [merges, ids] = JSON.parse(stdout);
    const tokenizer = trainTokenizer(text, { tokens: 356 });
    expect(tokenizer.merges).toEqual(merges);
    expect(Array.from(tokenizer.encode(text))).toEqual(ids);
  });

  test("what is wrong", () => {
    expect(() => trainTokenizer("a", { tokens: 255 })).toThrow(ConfigError);
    expect(() => new BytePairTokenizer([[97, 256]])).toThrow(DataError);
    expect(
      () =>
        new BytePairTokenizer([
          [97, 98],
          [97, 98],
        ]),
    ).toThrow(/merge 1: the same pair/);
  });
});

describe("a tokenizer", () => {
  const tokenizer = trainTokenizer(book, { tokens: 300 });

  test("decodes what it encodes, of any text", () => {
    void fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        expect(tokenizer.decode(tokenizer.encode(text))).toBe(text);
      }),
    );
    expect(tokenizer.encode("the times").length).toBeLessThan(5);
    expect(tokenizer.decode([0xe2])).toBe("\ufffd");
    expect(() => tokenizer.decode([300])).toThrow(
      /no token has this number: got 300, expected an integer in \[0, 292\)/,
    );
  });

  test("is written to a file and read again", () => {
    const path = `${temporaryFolder()}/t.json`;
    tokenizer.save(path);
    const again = loadTokenizer(path);
    expect([again.merges, again.digest]).toEqual([tokenizer.merges, tokenizer.digest]);
    for (const text of ["no json", "{}", '{"format": 1, "merges": [[1]]}', '{"format": 1, "merges": [[1, 999]]}']) {
      writeFileSync(path, text);
      expect(() => loadTokenizer(path)).toThrow(DataError);
    }
  });
});

describe("windows of tokens", () => {
  test("the tokenizer is trained on the text up to the split, and both parts have the same", () => {
    const parts = (["train", "validation"] as const).map((split) =>
      textWindows("b", book, { context: 4, split, tokens: 280 }),
    );
    const [a, b] = parts.map(({ vocabulary }) => vocabulary as BytePairTokenizer);
    expect(a.merges).toEqual(b.merges);
    expect(a.merges).toEqual(trainTokenizer(book.slice(0, Math.floor(book.length * 0.9)), { tokens: 280 }).merges);
    const inputs = (dataset: Dataset) => {
      const out = new Int32Array(4);
      dataset.fields.inputs.read(Int32Array.of(0), out);
      return out;
    };
    expect(book.startsWith(a.decode(inputs(parts[0])))).toBe(true);
    expect(parts[0].digests["b/tokenizer"]).toBe(a.digest);
    const given = textWindows("b", book, { context: 4, tokenizer: a });
    expect(given.vocabulary).toBe(a);
    expect(() => textWindows("b", book, { context: 4, tokenizer: a, tokens: 300 })).toThrow(/one of them/);
    expect(() => textWindows("b", "short", { context: 9, tokenizer: a })).toThrow(/got 4 tokens/);
  });

  test("a run keeps it, checks the model's vocabulary by it, and resumes in mid-epoch", async () => {
    const folder = temporaryFolder();
    writeFileSync(`${folder}/book.jsonl`, JSON.stringify({ text: book }));
    const loader = (more = {}) =>
      loaders.make({
        name: "jsonl",
        file: `${folder}/book.jsonl`,
        key: "text",
        context: 4,
        tokens: 270,
        batchSize: 4,
        shuffle: true,
        ...more,
      });
    const model = () => nn.gpt({ vocabulary: 270, context: 4, width: 4, heads: 1, layers: 1 });
    const [whole, again] = await resumed(toyOptions({ model }), loader);
    expect(again).toBe(whole);
    const modelDir = `${folder}/run`;
    const trainer = toyTrainer({ model, modelDir, loop: { numSteps: 1 } });
    await trainer.fit(loader());
    const kept = loadTokenizer(`${modelDir}/tokenizer.json`);
    expect(kept.merges).toEqual(trainTokenizer(book, { tokens: 270 }).merges);
    expect((await trainer.verify(modelDir)).equal).toBe(true);
    const named = loader({ tokens: undefined, tokenizer: `${modelDir}/tokenizer.json` });
    expect(named.vocabulary!.characters).toEqual(kept.characters);
    const small = () => nn.gpt({ vocabulary: 269, context: 4, width: 4, heads: 1, layers: 1 });
    await expect(toyTrainer({ model: small }).fit(loader())).rejects.toThrow(/smaller than the text's/);
  });
});

test("merges that double a token each are refused before they fill memory", () => {
  const path = `${temporaryFolder()}/t.json`;
  const merges = Array.from({ length: 40 }, (_, i) => (i === 0 ? [97, 97] : [255 + i, 255 + i]));
  writeFileSync(path, JSON.stringify({ format: 1, merges }));
  expect(() => loadTokenizer(path)).toThrow(DataError);
  expect(() => loadTokenizer(path)).toThrow("tokenizer: merge 24: too long a token: got 33554432 bytes");
  expect(new BytePairTokenizer(merges.slice(0, 24) as [number, number][]).characters.at(-1)).toHaveLength(2 ** 24);
});

describe("JSON lines", () => {
  const file = (text: string) => {
    const path = `${temporaryFolder()}/d.jsonl`;
    writeFileSync(path, text);
    return path;
  };
  const decoded = (dataset: ReturnType<typeof jsonlDataset>) => {
    const [batch] = [
      ...(dataLoader(dataset, { batchSize: 1 }).batches({ seed: 1n, offset: 0 }) as Iterable<{
        tensors: { inputs: { data: Int32Array } };
      }>),
    ];
    return dataset.vocabulary.decode(batch.tensors.inputs.data);
  };

  test("documents one after another, and what stands between", () => {
    const path = file('{"text": "one\\ntwo", "id": 1}\r\n\n{"text": "three"}\n');
    expect(decoded(jsonlDataset({ file: path, context: 12 }))).toBe("one\ntwo\nthre");
    expect(decoded(jsonlDataset({ file: path, separator: "||", context: 13 }))).toBe("one\ntwo||thre");
    const body = file('{"body": "words here"}');
    expect(decoded(jsonlDataset({ file: body, key: "body", context: 5 }))).toBe("words");
  });

  test.each([
    ['{"text": "a"}\n{"text": ', /d\.jsonl:2: not JSON/],
    ['{"text": "a"}\n["b"]', /d\.jsonl:2: not a JSON object/],
    ['{"txt": "a"}', /d\.jsonl:1: no text under the key text: got txt/],
    ['{"text": 3}', /no text under the key text: got number/],
  ])("%j", (text, message) => {
    const read = () => jsonlDataset({ file: file(text), context: 1 });
    expect(read).toThrow(DataError);
    expect(read).toThrow(message);
  });
});
