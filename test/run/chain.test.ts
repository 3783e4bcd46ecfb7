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
import { fullDisk, temporaryFolder } from "../support/folder.ts";

const graph = "ab".repeat(32);
const other = "cd".repeat(32);
const origin = { graphHash: graph, seed: 2n ** 64n - 1n, data: { "b/x": "22".repeat(32), "a/x": "11".repeat(32) } };
const step = (overrides: Partial<ChainStep> = {}): ChainStep => ({
  graphHash: graph,
  position: 2 ** 33 + 5,
  batch: { indices: [7, 2 ** 34 + 1], tensors: {} },
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
    text("seedgrad/chain/1"),
    text(numericsId),
    hex(graph),
    u64(2n ** 64n - 1n),
    u32(2),
    text("a/x"),
    hex("11".repeat(32)),
    text("b/x"),
    hex("22".repeat(32)),
  );
  const h1 = sha(
    h0,
    u64(1),
    hex(graph),
    u64(2 ** 33 + 5),
    Buffer.of(1),
    u32(2),
    u64(7),
    u64(2 ** 34 + 1),
    floatBits(0.1),
  );

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
    });
  });

  test("the digest over tensors, by name; marked", () => {
    const chain = new Chain(origin);
    chain.link(step());
    const w = { data: Float32Array.of(1, Number.NaN), shape: [2], dtype: "float32" } as const;
    const b = { data: Int32Array.of(-1), shape: [], dtype: "int32" } as const;
    const wHash = sha(text("parameter/w"), text("float32"), u32(1), u64(2), floatBits(1), u32(0x7fc00000));
    const bHash = sha(text("buffer/b"), text("int32"), u32(0), u32(0xffffffff));
    const expected = sha(h1, u32(2), bHash, wHash).toString("hex");
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
      step({ batch: { indices: [2 ** 34 + 1, 7], tensors: {} } }),
      step({ batch: { tensors } }),
      step({ batch: { tensors: { inputs: { ...tensors.inputs, data: Float32Array.of(2) } } } }),
    ].map((each) => hashAfter(each));
    expect(new Set(hashes).size).toBe(hashes.length);
    expect(hashAfter(step(), step())).not.toBe(hashAfter(step()));
  });

  test("origin: graph, seed, data", () => {
    const origins: ChainOrigin[] = [
      origin,
      { ...origin, graphHash: other },
      { ...origin, seed: 1n },
      { ...origin, data: {} },
      { ...origin, data: { "a/x": "11".repeat(32) } },
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
    const links = (count: number) => {
      const started = performance.now();
      for (let i = 0; i < count; i++) chain.link(step({ batch }));
      return ((performance.now() - started) * 1000) / count;
    };
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
    const [chain, file] = [new Chain(origin), new ChainFile(path)];
    const hashes: string[] = [];
    for (let i = 0; i < steps; i++) {
      file.append(chain.link(step({ loss: i })));
      hashes.push(chain.hash);
    }
    file.flush();
    return { path, hashes, chain };
  };

  test("records come back, more than one lot of them", () => {
    const { path, hashes } = written(150);
    const links = readChain(path);
    expect(links.map(({ hash }) => toHex(hash))).toEqual(hashes);
    expect(links[149]).toMatchObject({ step: 150, position: 2 ** 33 + 5 });
    expect(statSync(path).size).toBe(16 + 150 * 56);
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
    for (let length = 16 + 2 * 56; length < 16 + 3 * 56; length++) {
      writeFileSync(path, readFileSync(path).subarray(0, 16 + 3 * 56));
      truncateSync(path, length);
      expect(readChain(path).length).toBe(2);
    }
    truncateSync(path, 15);
    expect(() => readChain(path)).toThrow(CheckpointError);
    expect(() => readChain(`${path}.none`)).toThrow(CheckpointError);
  });

  test("any bit changed in a record is noticed, and the step is named; what comes before it can still be had", () => {
    const { path, hashes } = written(3);
    const bytes = readFileSync(path);
    for (let at = 16 + 56; at < 16 + 2 * 56; at++) {
      const damaged = Uint8Array.from(bytes);
      damaged[at] ^= 1 << (at % 8);
      writeFileSync(path, damaged);
      expect(() => readChain(path), `byte ${at}`).toThrow(`${path}: the record of step 2, at byte 72, is damaged`);
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
    const swapped = Buffer.concat([bytes.subarray(0, 16), bytes.subarray(72, 128), bytes.subarray(16, 72)]);
    writeFileSync(path, swapped);
    expect(() => readChain(path)).toThrow(/record of step 1, at byte 16, is damaged: got step 2/);
    writeFileSync(path, Buffer.concat([bytes, Buffer.alloc(56)]));
    expect(() => readChain(path)).toThrow(/record of step 4/);
    expect(readChain(path, 3).length).toBe(3);
  });

  test("another chain in place of the old one; an error leaves the old one", () => {
    const { path, hashes } = written(4);
    const other = readChain(written(70).path);
    const file = new ChainFile(path);
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
