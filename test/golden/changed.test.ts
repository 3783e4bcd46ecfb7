// Every pinned value that moved with the numerics id, by name, with what moved it. Until the first release a golden may move with a reason that
// stands here; after it, only under a new id.
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { numericsId } from "../../src/core/numerics.ts";
import { root } from "../support/sources.ts";

const presets: Record<string, { numerics: string; graphHash: string; digest: string }> = JSON.parse(
  readFileSync(`${root}src/presets/digests.json`, "utf8"),
);

const meanings = "the id and each op's meaning are in every graph's hash";
const training =
  "the data's order draws from a region of its own, Adam divides as PyTorch does, links hold what the host gave, the state is a Merkle root";

/** A golden: the file that pins it, what it was under `/1`, and why it moved. */
const changed: readonly { file: string; was: string; is: string; why: string }[] = [
  {
    file: "src/presets/digests.json",
    was: "15a3f983191ae61fb6bb17e11d9755b342e978d97ce9612ecfea91ee85c13ff3",
    is: presets["mnist-mlp.yaml"].digest,
    why: training,
  },
  {
    file: "src/presets/digests.json",
    was: "7116f2ffa5bc9e70724e1f9accd847885fe98453bf1906c20bb34de912a9dc20",
    is: presets["mnist-mlp.yaml"].graphHash,
    why: meanings,
  },
  {
    file: "src/presets/digests.json",
    was: "eff89b74de36ad150ccdf4d747694b02124cd61eefe0ea6dec7760aa5076e0d0",
    is: presets["moby-gpt.yaml"].digest,
    why: `${training}; gradients of slices are added where they land; gelu is within 1 ULP`,
  },
  {
    file: "src/presets/digests.json",
    was: "169b3d068979a6db9b0024821fbb5ba9b9808d0a4f49a82dc6abc309b7f04e86",
    is: presets["moby-gpt.yaml"].graphHash,
    why: `${meanings}; gelu's is another`,
  },
  {
    file: "README.md",
    was: "15a3f983191ae61fb6bb17e11d9755b342e978d97ce9612ecfea91ee85c13ff3",
    is: presets["mnist-mlp.yaml"].digest,
    why: "the MNIST preset's digest",
  },
  {
    file: "docs/proof.md",
    was: "7116f2ffa5bc9e70724e1f9accd847885fe98453bf1906c20bb34de912a9dc20",
    is: presets["mnist-mlp.yaml"].graphHash,
    why: "the MNIST preset's graph",
  },
  {
    file: "test/golden/optimizers.test.ts",
    was: "b2f3a80bd1280cb47039a03572bb7687b44d482cae4ce65e603b140311531c07",
    is: "41a6648b18cd4a6367837df0bcf09cf02e567a391ed5f89a337bfbe3430e8c2c",
    why: "Adam, AdamW, NAdam, RAdam and Lamb divide by their bias corrections",
  },
  {
    file: "test/compile/hash.test.ts",
    was: "d1a47b9a719d1398e12350df4bdf99081b6c4897e9a8fe6cdf6d29c821173e24",
    is: "83a0bad07146d658c83d17a88f9bd50eb9be521ddb25555b3009fb4e646a38ab",
    why: meanings,
  },
  {
    file: "test/compile/hash.test.ts",
    was: "0b08865780998e22e1e293826879c75acf2f972feaa92ec12717c6163e433e9f",
    is: "0dcce7b29ac8f23221e4cd21344e56729860e9b6f62ceb3f95978abcb8ddd596",
    why: meanings,
  },
  {
    file: "test/compile/hash.test.ts",
    was: "5a6a42521f56d1f2945f3e70fbde1a5e29e06501a0afd7d45857cb7c2638656c",
    is: "455988c82d0a63778f799d1121f31c6ea19e8bfc3a082a9c063b40ae451ca9a3",
    why: meanings,
  },
];

describe("goldens that moved from f32-strict/1 to f32-strict/2", () => {
  test.each(changed)("$file: $was, since $why", ({ file, was, is }) => {
    const text = readFileSync(root + file, "utf8");
    expect(text).toContain(is);
    expect(text).not.toContain(was);
  });

  test("every published digest is of this version's numerics", () => {
    expect(numericsId).toBe("f32-strict/2");
    for (const { numerics } of Object.values(presets)) expect(numerics).toBe(numericsId);
  });
});
