// Versions of meanings: the graph's hash holds an op's version where no expression says what the op does, so no version may outlive a change of bits.
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import { describe, expect, test } from "vitest";
import { referenceBackend } from "../../src/backend/reference.ts";
import { canonicalBytes } from "../../src/core/canonical.ts";
import { allRecords } from "../../src/ops/define.ts";
import { type Case, conformanceCases, opsOf } from "../conformance/cases.ts";
import { runGraph, traceGraph } from "../support/graphs.ts";

/**
 * By op: its version, and the digest of what reference gives for the conformance cases that compute nothing else. A digest that changed though no case
 * did: the op's bits changed, so raise its `version`, and pin both here. A case that was added: pin the new digest under the same version.
 */
const pinned: Readonly<Record<string, readonly [version: number, digest: string]>> = {
  full: [1, "254e0f9fa243f55c58782149bc2928d40d3d7c3efe14e06d0acccd6a037fc282"],
  coordinate: [1, "a2ebd51a83e4ece75e7af8e3d062e69bb81b592d907a965a4790a9f76e731e92"],
  assemble: [1, "de83aacfd3e4f712cae2501666b46716d74e35ad4a8245d957a27c445652d76d"],
  broadcastTo: [1, "631a168f984543923bb173d60f60e5849505406d5da093190dfd0215ced129eb"],
  reshape: [1, "ccdf86a592fcd33dd697cc08418f795845f2976355124858e8582aa8d86136d2"],
  transpose: [1, "25b453b8b4fbfd9debbc19fb084fed5b12904383e15efc2055fbdda20cd56247"],
  slice: [1, "f97a0f17ac25fe3d1753cfd6408adcab0fa9536488dcf5c21cbb14458bcec0cb"],
  pad: [1, "8bd13ac43e886edb7937fb47b4ff9e3fb443a3cab8b0c1ead66cf8d54046b8bf"],
  gather: [1, "d4b08f3eb9ed93e11fa60c31736e65925f4d4ea9d837a6bd3f991187c39a38d9"],
  scatterAdd: [1, "d028fe98b3b75099e11cd86968d8d9452561122bd6f0ad247e4de6afe1f7e3e5"],
  scan: [1, "b55e4bd0962f3f66860cf32b5cbd83bddf6f024dacd828817e9881a32f0ea9bd"],
  scatterLast: [1, "bd9f2af3f5823217fdc79f1a8d7035daf48cd4981cd174d5368cb0100b564d04"],
  matmul: [1, "32ea6674f9f48f68925f69e99f9148704196689e5bbe1d02fd5d487fbb5ecb8c"],
  randomWords: [1, "0adc8a709026f4f4524e07eb0669e2c4b0b3d60a248b8d4fb5ec05a915ca8a27"],
  randint: [1, "72fa01400948bf217cfb4e94f8f9db00a96697234fde049ad984585eec20e015"],
  permutation: [1, "20e3352ddc61af29c80cc4bb258cea4e42706db23dd2d5be4d13dab0d2fec0a3"],
  sum: [1, "84d10b2461798ce837c6acdf04f492627210d7e36fccb374efd1d91dabcd7303"],
  max: [1, "fc73d2581cae37f7b9cd186bea6422981d03b45287b81344c44161635c10c48d"],
  min: [1, "a41c9eea1835eb8cedc1493f022583d78d09b9afe53f01209a04eddfb7342715"],
  firstMax: [1, "fc73d2581cae37f7b9cd186bea6422981d03b45287b81344c44161635c10c48d"],
  argmax: [1, "da4e3559321e6ca90af0f29afcbdc18eee1ec4e23eef450111ffbc95002f7912"],
  argmin: [1, "fa3898ead472d8b355cdc6d39bdc528f4f017a4acba3bea3fca138ae180f908b"],
  customGradient: [1, "b35af291b947bf054a5d31a05e802b04fcff23b122c57d6e3171c8abd9a63cbb"],
  linalg: [1, "43bce93985221f1ec0d3af4fdc5c91789bd6b2bf0c8c03c36bff1764d6674ba7"],
  unfold: [1, "f92665fa6e2c43a52780d99fcfc8f144505bb121f30ccec9995e37e335a23790"],
  cumsum: [1, "5c7374a0dc69e6a9ea63b60fe3a0faae0a1775d9e1690ddb212ea1c27f521ba1"],
  cumprod: [1, "66ec975414b38d5666a3d1e4599c89f9f3a1d279491b46494226cbdd324460f0"],
  recurrence: [1, "90d2ff02d57bd837b23e006e5034ff1b856fe74dab074ec477e3ee5c2e0833aa"],
  cumargmax: [1, "d4cf4b6b31f508c01fa3e0befe261e979e068b7aa14b0e35e7190651d776f639"],
  cumargmin: [1, "9018358225e823343ddc3f367cd6b22d6de51f2402d2fd9224d366103dd67e64"],
  prod: [1, "61caaace9e2a3a82bd91ae98a1fb6c1753e5ee1f2960d0356358bc390d1542ce"],
  argsort: [1, "4cd23a1403b3dd42e5610013386b9227029334f33ac184683b1fd3408bc428de"],
};

const leaves = new Set(allRecords().flatMap(({ kind, name }) => (kind === "leaf" ? [name] : [])));
const versioned = allRecords().flatMap((record) =>
  record.kind === "elementwise" || record.kind === "leaf" ? [] : [record],
);

/** Cases by the one op that they compute. */
const casesByOp = new Map<string, Case[]>();
for (const each of conformanceCases()) {
  const [op, ...others] = [...opsOf(each)].filter((name) => !leaves.has(name));
  if (op !== undefined && others.length === 0) casesByOp.set(op, [...(casesByOp.get(op) ?? []), each]);
}

async function digestOf(cases: readonly Case[]): Promise<string> {
  const hash = sha256.create();
  for (const { inputs, build } of cases) {
    const ports = Object.fromEntries(inputs.map((data, i) => [String(i), data]));
    const graph = traceGraph(ports, (nodes) => ({ outputs: { y: build(...inputs.map((_, i) => nodes[String(i)])) } }));
    const data = inputs.map((each) => each.data);
    const [result] = await runGraph(referenceBackend(), graph, data, { fuse: false });
    hash.update(canonicalBytes(result));
  }
  return bytesToHex(hash.digest());
}

describe("the version of", () => {
  test.each(versioned)("$name stands for the bits that its cases give", async ({ name, version }) => {
    const cases = casesByOp.get(name) ?? [];
    expect(cases.length, "an op needs cases that compute nothing else").toBeGreaterThan(0);
    expect([name, version, await digestOf(cases)]).toEqual([name, ...(pinned[name] ?? [])]);
  });

  test("no other op is pinned", () => {
    expect(Object.keys(pinned).sort()).toEqual(versioned.map(({ name }) => name).sort());
  });
});
