// Merkle trees against RFC 6962's own definitions, written out; and a tensor, or a part of it, shown to be part of a run.
import { createHash } from "node:crypto";
import { readdirSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { toHex } from "../../src/core/canonical.ts";
import { DataError } from "../../src/core/errors.ts";
import { leafHash, merklePath, merkleRoot, rootOfPath } from "../../src/io/merkle.ts";
import * as nn from "../../src/nn/index.ts";
import { digestOfProof, proveTensor } from "../../src/run/inclusion.ts";
import { temporaryFolder } from "../support/folder.ts";
import { toyTrain, toyTrainer } from "../support/toy.ts";

const sha = (...parts: readonly Uint8Array[]) => createHash("sha256").update(Buffer.concat(parts)).digest();

/** MTH of RFC 6962, section 2.1. */
function treeHash(entries: readonly Uint8Array[]): Uint8Array {
  if (entries.length === 0) return sha();
  if (entries.length === 1) return sha(Uint8Array.of(0), entries[0]);
  let k = 1;
  while (2 * k < entries.length) k *= 2;
  return sha(Uint8Array.of(1), treeHash(entries.slice(0, k)), treeHash(entries.slice(k)));
}

describe("trees", () => {
  const entries = Array.from({ length: 33 }, (_, i) => Uint8Array.from({ length: i }, (_, j) => i * j));
  const leaves = entries.map(leafHash);

  test("roots are RFC 6962's, and its published ones", () => {
    for (let count = 0; count <= entries.length; count++)
      expect(toHex(merkleRoot(leaves.slice(0, count)))).toBe(toHex(treeHash(entries.slice(0, count))));
    // From certificate-transparency's reference tests.
    const known = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"];
    const hashes = known.map((hex) => leafHash(Buffer.from(hex, "hex")));
    expect(toHex(merkleRoot([]))).toBe("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    expect(toHex(merkleRoot(hashes.slice(0, 1)))).toBe(
      "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    );
    expect(toHex(merkleRoot(hashes))).toBe("5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328");
  });

  test("every leaf's path comes to the root, and no other leaf, place or path does", () => {
    for (const count of [1, 2, 3, 7, 8, 9, 33]) {
      const some = leaves.slice(0, count);
      const root = toHex(merkleRoot(some));
      for (let index = 0; index < count; index++) {
        const path = merklePath(some, index);
        const reached = (...[leaf, at, of, way]: Parameters<typeof rootOfPath>) => {
          const found = rootOfPath(leaf, at, of, way);
          return found && toHex(found);
        };
        expect(reached(some[index], index, count, path)).toBe(root);
        expect(reached(leafHash(Uint8Array.of(9)), index, count, path)).not.toBe(root);
        expect(reached(some[index], index + 1, count, path)).not.toBe(root);
        expect(reached(some[index], index, count, [...path, path[0] ?? some[0]])).toBeUndefined();
        if (path.length > 0) expect(reached(some[index], index, count, path.slice(1))).toBeUndefined();
        expect(reached(some[index], count, count, path)).toBeUndefined();
      }
    }
  });
});

test("each tensor of a run, and each block of a large one, proves the run's digest; changed, it doesn't", async () => {
  const modelDir = `${temporaryFolder()}/run`;
  const model = () => nn.sequential(nn.linear(4, 5000), nn.relu(), nn.linear(5000, 2));
  const trainer = toyTrainer({ modelDir, model, loop: { numSteps: 2 }, backend: "wasm" });
  const { digest } = await trainer.fit(toyTrain());
  const [file] = readdirSync(`${modelDir}/checkpoints`).filter((name) => name.endsWith(".safetensors"));
  const path = `${modelDir}/checkpoints/${file}`;
  for (const [name] of trainer.variables()) {
    const { proof, data } = proveTensor(path, name);
    expect(digestOfProof(JSON.parse(JSON.stringify(proof)), data), name).toBe(digest);
  }
  const name = "parameter/0.weight";
  for (const block of [0, 1]) {
    const { proof, data } = proveTensor(path, name, { block });
    expect([data.length, proof.block!.count]).toEqual([block === 0 ? 16384 : 20000 - 16384, 2]);
    expect(digestOfProof(proof, data)).toBe(digest);
    data[7] = -data[7];
    expect(digestOfProof(proof, data)).not.toBe(digest);
  }
  const { proof, data } = proveTensor(path, name);
  for (const change of [{ name: "parameter/0.bias" }, { shape: [4, 5000] }, { dtype: "int32" as const }])
    expect(digestOfProof({ ...proof, ...change }, data)).not.toBe(digest);
  expect(() => digestOfProof({ ...proof, tensor: { ...proof.tensor, count: 2 } }, data)).toThrow(DataError);
  const long = Array.from({ length: 20_000 }, () => proof.link);
  for (const [index, count] of [
    [0, 2 ** 53 - 1],
    [2 ** 53 - 3, 2 ** 53 - 1],
  ])
    expect(() => digestOfProof({ ...proof, tensor: { index, count, path: long } }, data)).toThrow(DataError);
  for (const shape of [[1.5], [Number.NaN], [-1]])
    expect(() => digestOfProof({ ...proof, shape }, data)).toThrow(/^proof of .*: an extent is not a count/);
  const half = { index: 0, count: 0.5, path: long };
  expect(() => digestOfProof({ ...proof, tensor: half }, data)).toThrow(/count.*an integer ≥ 0: got 0\.5/);
  expect(() => proveTensor(path, "parameter/none")).toThrow("no tensor of the run has this name: got parameter/none");
  expect(() => proveTensor(path, name, { block: 2 })).toThrow("no such block: got 2, expected an integer in [0, 2)");
});
