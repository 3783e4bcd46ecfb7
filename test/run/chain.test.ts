// The digest chain, against an independent computation of its bytes; and its file, cut back and damaged.
import { createHash } from "node:crypto";
import { readFileSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { toHex } from "../../src/core/canonical.ts";
import { CheckpointError, DataError } from "../../src/core/errors.ts";
import { numericsId } from "../../src/core/numerics.ts";
import { replaceFileCalls } from "../../src/io/files.node.ts";
import { Chain, type ChainOrigin, type ChainStep } from "../../src/run/chain.ts";
import { ChainFile, readChain } from "../../src/run/chainfile.ts";
import { cpuSeconds } from "../support/cpu.ts";
import { fullDisk, temporaryFolder } from "../support/folder.ts";

const graph = "ab".repeat(32);
const other = "cd".repeat(32);
const names = ["learningRate/0", "weightDecay/0"];
const recordSize = 80 + 4 * names.length;
const headerSize = 16 + JSON.stringify(names).length + 4;
const origin = { graphHash: graph, seed: 2n ** 64n - 1n, data: { "b/x": "22".repeat(32), "a/x": "11".repeat(32) } };
const step = (overrides: Partial<ChainStep> = {}): ChainStep => ({
  graphHash: graph,
  position: 2 ** 33 + 5,
  batch: { indices: [7, 2 ** 34 + 1], tensors: {} },
  given: { "weightDecay/0": 0.5, "learningRate/0": 0.01 },
  loss: 0.1,
  ...overrides,
});

const u32 = (value: number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
};
const u64 = (value: number | bigint) => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
};
const text = (value: string) => Buffer.concat([u32(Buffer.byteLength(value)), Buffer.from(value)]);
const hex = (value: string) => Buffer.from(value, "hex");
const sha = (...parts: Buffer[]) => createHash("sha256").update(Buffer.concat(parts)).digest();
const floatBits = (value: number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(value);
  return bytes;
};

describe("bytes, by node:crypto alone", () => {
  const h0 = sha(
    text("seedgrad/chain/2"),
    text(numericsId),
    hex(graph),
    u64(2n ** 64n - 1n),
    u32(2),
    text("a/x"),
    hex("11".repeat(32)),
    text("b/x"),
    hex("22".repeat(32)),
    u32(0),
  );
  const batch = Buffer.concat([Buffer.of(1), u32(2), u64(7), u64(2 ** 34 + 1)]);
  const given = Buffer.concat([u32(2), text("learningRate/0"), floatBits(0.01), text("weightDecay/0"), floatBits(0.5)]);
  const h1 = sha(h0, u64(1), hex(graph), u64(2 ** 33 + 5), batch, given, floatBits(0.1));

  test("origin and links", () => {
    const chain = new Chain(origin);
    expect(chain.hash).toBe(h0.toString("hex"));
    const link = chain.link(step());
    expect(chain.hash).toBe(h1.toString("hex"));
    expect({ ...link, hash: toHex(link.hash) }).toEqual({
      step: 1,
      hash: chain.hash,
      lossBits: floatBits(0.1).readUInt32LE(),
      position: 2 ** 33 + 5,
      graph: "ab".repeat(8),
      batch: sha(batch).toString("hex").slice(0, 16),
      given: sha(given).toString("hex").slice(0, 16),
      numbers: { "learningRate/0": 0x3c23d70a, "weightDecay/0": 0x3f000000 },
    });
    expect(chain.last).toBe(link);
  });

  test("an origin with a loader's own seed", () => {
    const chain = new Chain({ ...origin, data: {}, shuffleSeeds: [2n ** 64n - 2n] });
    const parts = [text("seedgrad/chain/2"), text("f32-strict/2"), hex(graph), u64(origin.seed), u32(0), u32(1)];
    expect(chain.hash).toBe(sha(...parts, u64(2n ** 64n - 2n)).toString("hex"));
  });

  test("a batch without indices: the root of its tensors", () => {
    const inputs = { data: Int32Array.of(-1), shape: [1], dtype: "int32" } as const;
    const [bare, full] = [new Chain(origin), new Chain(origin)];
    const { batch: part } = bare.link(step({ batch: { tensors: { inputs } } }));
    const leaf = sha(Buffer.of(0), text("inputs"), text("int32"), u32(1), u64(1), sha(Buffer.of(0), u32(0xffffffff)));
    expect(part).toBe(sha(Buffer.of(0), leaf).toString("hex").slice(0, 16));
    expect(full.link(step()).batch).not.toBe(part);
  });

  test("the digest over tensors, by name; marked", () => {
    const chain = new Chain(origin);
    chain.link(step());
    const w = { data: Float32Array.of(1, Number.NaN), shape: [2], dtype: "float32" } as const;
    const b = { data: Int32Array.of(-1), shape: [], dtype: "int32" } as const;
    const leaf = (data: Buffer) => sha(Buffer.of(0), data);
    const wData = leaf(Buffer.concat([floatBits(1), u32(0x7fc00000)]));
    const wHash = leaf(Buffer.concat([text("parameter/w"), text("float32"), u32(1), u64(2), wData]));
    const bHash = leaf(Buffer.concat([text("buffer/b"), text("int32"), u32(0), leaf(u32(0xffffffff))]));
    const expected = sha(h1, sha(Buffer.of(1), bHash, wHash)).toString("hex");
    expect(
      chain.digest([
        ["parameter/w", w],
        ["buffer/b", b],
      ]),
    ).toBe(expected);
    expect(
      chain.digest(
        [
          ["buffer/b", b],
          ["parameter/w", w],
        ],
        { marked: true },
      ),
    ).toBe(`warn:${expected}`);
  });
});

describe("what enters and what doesn't", () => {
  const hashAfter = (...steps: ChainStep[]) => {
    const chain = new Chain(origin);
    for (const each of steps) chain.link(each);
    return chain.hash;
  };
  test("each fact changes the link", () => {
    const tensors = { inputs: { data: Float32Array.of(1), shape: [1], dtype: "float32" } as const };
    const hashes = [
      step(),
      step({ graphHash: other }),
      step({ position: 0 }),
      step({ loss: 0.2 }),
      step({ loss: -0 }),
      step({ loss: 0 }),
      step({ given: {} }),
      step({ given: { "learningRate/0": 0.5, "weightDecay/0": 0.01 } }),
      step({ given: { "learningRate/1": 0.01, "weightDecay/0": 0.5 } }),
      step({ batch: { indices: [2 ** 34 + 1, 7], tensors: {} } }),
      step({ batch: { tensors } }),
      step({ batch: { tensors: { inputs: { ...tensors.inputs, data: Float32Array.of(2) } } } }),
    ].map((each) => hashAfter(each));
    expect(new Set(hashes).size).toBe(hashes.length);
    expect(hashAfter(step(), step())).not.toBe(hashAfter(step()));
  });

  test("numbers enter as float32, in the order of their names", () => {
    const reversed = { "learningRate/0": Math.fround(0.01), "weightDecay/0": 0.5 };
    expect(hashAfter(step({ given: reversed }))).toBe(hashAfter(step()));
  });

  test("origin: graph, seed, data, a loader's own seed", () => {
    const origins: ChainOrigin[] = [
      origin,
      { ...origin, graphHash: other },
      { ...origin, seed: 1n },
      { ...origin, data: {} },
      { ...origin, data: { "a/x": "11".repeat(32) } },
      { ...origin, shuffleSeeds: [0n] },
      { ...origin, shuffleSeeds: [1n] },
    ];
    expect(new Set(origins.map((each) => new Chain(each).hash)).size).toBe(origins.length);
    expect(new Chain({ ...origin, data: { "a/x": origin.data["a/x"], "b/x": origin.data["b/x"] } }).hash).toBe(
      new Chain(origin).hash,
    );
  });

  test("an index that is none, or a digest of data that is none, is refused and adds nothing", () => {
    for (const index of [-1, 0.5, Number.NaN, 2 ** 53, undefined as unknown as number]) {
      const chain = new Chain(origin);
      const before = chain.hash;
      expect(() => chain.link(step({ batch: { indices: [0, index], tensors: {} } })), String(index)).toThrow(DataError);
      expect([chain.hash, chain.step]).toEqual([before, 0]);
    }
    for (const digest of ["", "11", "AB".repeat(32), undefined as unknown as string]) {
      expect(() => new Chain({ ...origin, data: { pixels: digest } }), digest).toThrow(DataError);
      expect(() => new Chain({ ...origin, data: { pixels: digest } }), digest).toThrow("digests: pixels");
    }
  });

  test("a link costs microseconds", () => {
    const chain = new Chain(origin);
    const batch = { indices: Uint32Array.from({ length: 64 }, (_, i) => i), tensors: {} };
    const links = (count: number) =>
      (cpuSeconds(() => {
        for (let i = 0; i < count; i++) chain.link(step({ batch }));
      }) *
        1e6) /
      count;
    links(2000);
    // About 6 on an idle machine; the bound leaves room for one that isn't.
    expect(Math.min(...[1, 2, 3, 4, 5].map(() => links(400)))).toBeLessThan(200);
  });

  test("resuming goes on as if never stopped", () => {
    const chain = new Chain(origin);
    chain.link(step());
    const resumed = new Chain(origin);
    resumed.resume(1, chain.hash);
    chain.link(step({ loss: 3 }));
    resumed.link(step({ loss: 3 }));
    expect([resumed.hash, resumed.step]).toEqual([chain.hash, 2]);
  });
});

describe("the chain file", () => {
  const written = (steps: number) => {
    const path = `${temporaryFolder()}/chain.bin`;
    const [chain, file] = [new Chain(origin), new ChainFile(path, names)];
    const hashes: string[] = [];
    for (let i = 0; i < steps; i++) {
      file.append(chain.link(step({ loss: i })));
      hashes.push(chain.hash);
    }
    file.flush();
    return { path, hashes, chain };
  };

  test("records come back, more than one lot of them", () => {
    const { path, hashes, chain } = written(150);
    const links = readChain(path);
    expect(links.map(({ hash }) => toHex(hash))).toEqual(hashes);
    expect(links[149]).toEqual(chain.last);
    expect(statSync(path).size).toBe(headerSize + 150 * recordSize);
  });

  test("cut back to a step, and on from there", () => {
    const { path, hashes } = written(5);
    const file = new ChainFile(path);
    file.cutBack(2, hashes[1]);
    expect(readChain(path).map(({ hash }) => toHex(hash))).toEqual(hashes.slice(0, 2));
    expect(() => file.cutBack(3)).toThrow(/ends before the checkpoint/);
    expect(() => file.cutBack(2, hashes[0])).toThrow(/isn't the checkpoint's/);
    file.cutBack(0, hashes[0]);
    expect(readChain(path)).toEqual([]);
  });

  test("a last record that was cut off isn't there; a file that is none is named", () => {
    const { path } = written(3);
    for (let length = headerSize + 2 * recordSize; length < headerSize + 3 * recordSize; length++) {
      writeFileSync(path, readFileSync(path).subarray(0, headerSize + 3 * recordSize));
      truncateSync(path, length);
      expect(readChain(path).length).toBe(2);
    }
    truncateSync(path, headerSize - 1);
    expect(() => readChain(path)).toThrow(CheckpointError);
    expect(() => readChain(`${path}.none`)).toThrow(CheckpointError);
  });

  test("any bit changed in a record is noticed, and the step is named; what comes before it can still be had", () => {
    const { path, hashes } = written(3);
    const bytes = readFileSync(path);
    for (let at = headerSize + recordSize; at < headerSize + 2 * recordSize; at++) {
      const damaged = Uint8Array.from(bytes);
      damaged[at] ^= 1 << (at % 8);
      writeFileSync(path, damaged);
      expect(() => readChain(path), `byte ${at}`).toThrow(
        `${path}: the record of step 2, at byte ${headerSize + recordSize}, is damaged`,
      );
      expect(readChain(path, 1).length).toBe(1);
    }
    const file = new ChainFile(path);
    for (const use of [() => file.check(2), () => file.cutBack(3, hashes[2]), () => file.has(3, hashes[2])]) {
      expect(use).toThrow(CheckpointError);
      expect(statSync(path).size).toBe(bytes.length);
    }
    file.cutBack(1, hashes[0]);
    expect(readChain(path).length).toBe(1);
  });

  test("records in another order, or a file of zeros after the last, are damage", () => {
    const { path } = written(3);
    const bytes = readFileSync(path);
    const [second, third] = [headerSize + recordSize, headerSize + 2 * recordSize];
    const swapped = Buffer.concat([
      bytes.subarray(0, headerSize),
      bytes.subarray(second, third),
      bytes.subarray(headerSize, second),
    ]);
    writeFileSync(path, swapped);
    expect(() => readChain(path)).toThrow(`record of step 1, at byte ${headerSize}, is damaged: got step 2`);
    writeFileSync(path, Buffer.concat([bytes, Buffer.alloc(recordSize)]));
    expect(() => readChain(path)).toThrow(/record of step 4/);
    expect(readChain(path, 3).length).toBe(3);
  });

  test("any bit changed in the header is noticed; a file of format 1 is refused by name", () => {
    const { path } = written(2);
    const bytes = readFileSync(path);
    for (let at = 0; at < headerSize; at++) {
      const damaged = Uint8Array.from(bytes);
      damaged[at] ^= 1 << (at % 8);
      writeFileSync(path, damaged);
      expect(() => readChain(path), `byte ${at}`).toThrow(/its header is damaged|earlier format/);
      expect(() => new ChainFile(path), `byte ${at}`).toThrow(CheckpointError);
    }
    writeFileSync(path, Buffer.concat([Buffer.from("SGCHAIN1"), u32(56), u32(0), Buffer.alloc(56)]));
    expect(() => readChain(path)).toThrow(
      "a chain of an earlier format, whose links hold other facts: got SGCHAIN1, expected SGCHAIN2",
    );
  });

  test("a number that a step hasn't, one that isn't among the header's, and more names than are kept", () => {
    const path = `${temporaryFolder()}/chain.bin`;
    const many = Array.from({ length: 70 }, (_, i) => `n/${i}`);
    const [chain, file] = [new Chain(origin), new ChainFile(path, many)];
    const all = Object.fromEntries(many.map((name, i) => [name, i]));
    for (const given of [all, { "n/3": 1, other: 2 }]) file.append(chain.link(step({ given })));
    file.flush();
    const links = readChain(path);
    expect(Object.keys(links[0].numbers)).toEqual(many.slice(0, 64));
    expect(links[1].numbers).toEqual({ "n/3": floatBits(1).readUInt32LE() });
    expect(links[1].given).toBe(chain.last!.given);
    new ChainFile(path, names).cutBack(0);
    const again = new ChainFile(path, names);
    again.append(new Chain(origin).link(step()));
    again.flush();
    expect(Object.keys(readChain(path)[0].numbers)).toEqual(names);
    const named = new ChainFile(`${path}.2`, ["constructor"]);
    named.append(new Chain(origin).link(step()));
    named.flush();
    expect(readChain(`${path}.2`)[0].numbers).toEqual({});
  });

  test("another chain in place of the old one; an error leaves the old one", () => {
    const { path, hashes } = written(4);
    const other = readChain(written(70).path);
    const file = new ChainFile(path, names);
    const restore = replaceFileCalls({ fsyncSync: fullDisk });
    try {
      expect(() => file.replace(other)).toThrow(CheckpointError);
    } finally {
      restore();
    }
    expect(file.has(4, hashes[3])).toBe(true);
    file.replace(other);
    expect(readChain(path)).toEqual(other);
  });

  test("a full disk leaves whole records", () => {
    const { path } = written(2);
    const file = new ChainFile(path);
    const chain = new Chain(origin);
    chain.link(step());
    chain.link(step());
    file.append(chain.link(step()));
    const restore = replaceFileCalls({ writeSync: fullDisk as never });
    try {
      expect(() => file.flush()).toThrow(CheckpointError);
    } finally {
      restore();
    }
    expect(readChain(path).length).toBe(2);
    file.flush();
    expect(readChain(path).length).toBe(3);
  });
});
