// Weights from files: this project's own, a run's checkpoints, and files that another program wrote from the format's description.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { HostArray } from "../../src/core/array.ts";
import { float32Bits } from "../../src/core/canonical.ts";
import { CheckpointError } from "../../src/core/errors.ts";
import { numericsId } from "../../src/core/numerics.ts";
import { readSafetensors, writeSafetensors } from "../../src/io/safetensors.ts";
import * as nn from "../../src/nn/index.ts";
import { loadVariables, weightsDigests } from "../../src/nn/load.ts";
import { readVariables, Variable } from "../../src/program/variable.ts";
import { manualSeed } from "../../src/rng/stream.ts";
import { full, normal, zeros } from "../../src/tensor/functions.ts";
import type { Tensor } from "../../src/tensor/tensor.ts";
import { temporaryFolder } from "../support/folder.ts";
import { root } from "../support/sources.ts";
import { toyModel, toyTrain, toyTrainer } from "../support/toy.ts";

const bitsOf = async (model: nn.Module) =>
  Object.fromEntries(
    await Promise.all(
      model.namedVariables().map(async ([name, variable]) => [name, [...(await variable.data())].map(float32Bits)]),
    ),
  );
const built = (seed: number) => {
  manualSeed(seed);
  return toyModel();
};

/** Has Python write one of its two files; undefined where there is no Python. */
function written(what: "kinds" | "model"): string | undefined {
  const path = `${temporaryFolder()}/outside.safetensors`;
  const { error, status, stderr } = spawnSync("python3", [`${root}test/support/write_safetensors.py`, path, what]);
  if (error) return undefined;
  expect(status, String(stderr)).toBe(0);
  return path;
}

test("saved and loaded: the same bits, by the paths that PyTorch would use", async () => {
  const path = `${temporaryFolder()}/weights.safetensors`;
  const model = built(3);
  await nn.save(model, path, { note: "toy" });
  expect([...readSafetensors(path).tensors.keys()]).toEqual(["0.bias", "0.weight", "3.bias", "3.weight"]);
  expect(readSafetensors(path).metadata).toEqual({ note: "toy" });
  const other = built(4);
  expect(await bitsOf(other)).not.toEqual(await bitsOf(model));
  expect(nn.load(other, path)).toBe(other);
  expect(await bitsOf(other)).toEqual(await bitsOf(model));
  const digest = createHash("sha256").update(readFileSync(path)).digest("hex");
  expect(weightsDigests(other)).toEqual({ "weights/weights.safetensors": digest });
});

describe("a file from outside", () => {
  test("every type: exactly, or an F64 rounded once, as Python rounds it", () => {
    const path = written("kinds");
    if (!path) return;
    const { tensors: all, metadata, formats } = readSafetensors(path);
    const bits = (name: string) => [...all.get(name)!.data].map(float32Bits);
    expect(bits("f64")).toHaveLength(510);
    expect(bits("f64")).toEqual(bits("f64 rounded here"));
    expect([formats.get("f64"), formats.get("u16")]).toEqual(["F64", "U16"]);
    const tensors = [...all].filter(([name]) => !name.startsWith("f64"));
    const read = Object.fromEntries(tensors.map(([name, { dtype, data }]) => [name, [dtype, ...data]]));
    expect(metadata).toEqual({ format: "pt" });
    expect(read).toEqual({
      f16: ["float32", 0, -0, 65504, 2 ** -24, -(2 ** -14), Number.POSITIVE_INFINITY],
      bf16: ["float32", 1, -(2 ** 127), 2 ** -133],
      i8: ["int32", -128, 127],
      u8: ["int32", 0, 255],
      i16: ["int32", -32768, 32767],
      u16: ["int32", 0, 65535],
      i32: ["int32", -(2 ** 31), 2 ** 31 - 1],
      u32: ["uint32", 2 ** 32 - 1],
      bool: ["bool", 1, 0, 1],
      i64: ["int32", -(2 ** 31), 2 ** 31 - 1, -1],
      u64: ["int32", 0, 2 ** 31 - 1],
    });
  });

  test("weights in 16 bits go into a model, widened exactly; in 64, rounded", async () => {
    const path = written("model");
    if (!path) return;
    const bits = await bitsOf(nn.load(built(1), path));
    expect(bits["parameter/0.weight"]).toEqual(Array.from({ length: 32 }, (_, i) => float32Bits((i % 7) / 4 - 1)));
    expect(bits["parameter/3.weight"]).toEqual(Array.from({ length: 16 }, (_, i) => float32Bits(i / 8 - 1)));
    expect(bits["parameter/0.bias"]).toEqual(Array.from({ length: 8 }, (_, i) => float32Bits(i / 3)));
    expect(bits["parameter/3.bias"]).toEqual([0x3dcccccd, 0xbe800000]);
  });
});

describe("PyTorch's names", () => {
  class Parts extends nn.Module {
    norm = nn.batchNorm1d(4);
    mean = nn.batchNorm1d(4, { momentum: "cumulative" });
    layer = nn.transformerDecoderLayer(4, 2, { hidden: 3 });
    /** Its name is the path's own: no part of PyTorch's. */
    linear1 = nn.linear(2, 2);
    override forward(x: Tensor) {
      return x;
    }
  }
  const kept = ["norm.weight", "norm.bias", "mean.weight", "mean.bias", "linear1.weight", "linear1.bias"].concat(
    [1, 2, 3].flatMap((i) => [`layer.norm${i}.weight`, `layer.norm${i}.bias`]),
  );
  /** Ours for each of what `state_dict()` of the same modules has in PyTorch 2.13, beside those above. */
  const theirs: Record<string, readonly string[]> = {
    "norm.running_mean": ["norm.runningMean"],
    "norm.running_var": ["norm.runningVariance"],
    "norm.num_batches_tracked": [],
    "mean.running_mean": ["mean.runningMean"],
    "mean.running_var": ["mean.runningVariance"],
    "mean.num_batches_tracked": ["mean.batchesTracked"],
    "layer.linear1.weight": ["layer.mlp.0.weight"],
    "layer.linear1.bias": ["layer.mlp.0.bias"],
    "layer.linear2.weight": ["layer.mlp.3.weight"],
    "layer.linear2.bias": ["layer.mlp.3.bias"],
    ...Object.fromEntries(
      [
        ["self_attn", "attention"],
        ["multihead_attn", "memoryAttention"],
      ].flatMap(([name, ours]) =>
        ["weight", "bias"].flatMap((what) => [
          [`layer.${name}.in_proj_${what}`, ["query", "key", "value"].map((part) => `layer.${ours}.${part}.${what}`)],
          [`layer.${name}.out_proj.${what}`, [`layer.${ours}.out.${what}`]],
        ]),
      ),
    ),
  };
  const made = async (seed: number) => {
    manualSeed(seed);
    const model = new Parts();
    for (const [, variable] of model.namedVariables())
      variable.assign(variable.dtype === "int32" ? full([], seed, "int32") : normal(variable.shape));
    return {
      model,
      tensors: new Map(await readVariables(model.namedVariables().map(([n, v]) => [n.replace(/^\w+\//, ""), v]))),
    };
  };
  const packed = (parts: readonly HostArray[]): HostArray => {
    const [{ dtype, shape }] = parts;
    const data = parts.flatMap((part) => [...part.data]);
    const [rows, ...rest] = shape;
    return {
      dtype,
      data: dtype === "int32" ? Int32Array.from(data) : Float32Array.from(data),
      shape: parts.length > 1 ? [parts.length * rows, ...rest] : shape,
    };
  };
  const counted: HostArray = { data: new Int32Array([5]), shape: [], dtype: "int32" };

  test("of normalisations, attention and a transformer's layers load strictly, to the bit", async () => {
    const path = `${temporaryFolder()}/theirs.safetensors`;
    const { model, tensors } = await made(3);
    const rest = Object.entries(theirs).map(([name, ours]): [string, HostArray] => [
      name,
      ours.length === 0 ? counted : packed(ours.map((each) => tensors.get(each)!)),
    ]);
    writeSafetensors(path, [...kept.map((name): [string, HostArray] => [name, tensors.get(name)!]), ...rest]);
    const other = (await made(4)).model;
    expect(await bitsOf(other)).not.toEqual(await bitsOf(model));
    expect(await bitsOf(nn.load(other, path))).toEqual(await bitsOf(model));
  });

  test("a tensor under both names is refused", () => {
    const path = `${temporaryFolder()}/both.safetensors`;
    const ones = (name: string): [string, HostArray] => [
      name,
      { data: new Float32Array(2).fill(1), shape: [2], dtype: "float32" },
    ];
    const names = ["weight", "bias", "running_var", "running_mean", "runningMean"];
    writeSafetensors(path, names.map(ones));
    expect(() => nn.load(nn.batchNorm1d(2), path)).toThrow(
      "two of its tensors are one of the model's: got runningMean",
    );
    writeSafetensors(path, names.slice(0, 4).map(ones));
    expect(nn.load(nn.batchNorm1d(2), path).runningMean!.shape).toEqual([2]);
  });

  test("what the model doesn't have under either name is said by the file's", async () => {
    const path = `${temporaryFolder()}/theirs.safetensors`;
    writeSafetensors(path, [
      ["0.in_proj_weight", { data: new Float32Array(6), shape: [6, 1], dtype: "float32" }],
      ["0.num_batches_tracked", counted],
      ["0.running_mean", { data: new Float32Array(8), shape: [8], dtype: "float32" }],
    ]);
    expect(() => nn.load(built(1), path)).toThrow("unknown 0.in_proj_weight, 0.num_batches_tracked, 0.running_mean;");
  });
});

test("a checkpoint is held to its own digest, which under another numerics id may be another's", async () => {
  const modelDir = temporaryFolder();
  await toyTrainer({ modelDir, loop: { numSteps: 1 } }).fit(toyTrain());
  const path = `${modelDir}/checkpoints/checkpoint_1.safetensors`;
  const bytes = readFileSync(path);
  expect(nn.load(built(1), path)).toBeInstanceOf(nn.Module);
  bytes[bytes.length - 2] ^= 1;
  writeFileSync(path, bytes);
  for (const strict of [true, false]) {
    expect(() => nn.load(built(1), path, { strict })).toThrow(CheckpointError);
    expect(() => nn.load(built(1), path, { strict })).toThrow(/its content isn't what was written/);
  }
  const { tensors, metadata } = readSafetensors(path);
  const other = { ...metadata, seedgrad: metadata.seedgrad.replace(numericsId, "f32-strict/9") };
  writeSafetensors(path, tensors, other);
  expect(nn.load(built(1), path)).toBeInstanceOf(nn.Module);
});

describe("what doesn't fit", () => {
  const file = () => {
    const path = `${temporaryFolder()}/part.safetensors`;
    writeSafetensors(path, [
      ["0.bias", { data: new Float32Array(8).fill(7), shape: [8], dtype: "float32" }],
      ["0.weight", { data: new Float32Array(8), shape: [4, 2], dtype: "float32" }],
      ["head", { data: new Float32Array(1), shape: [1], dtype: "float32" }],
    ]);
    return path;
  };

  test("is named, and nothing is changed", async () => {
    const model = built(1);
    const before = await bitsOf(model);
    const path = file();
    expect(() => nn.load(model, path)).toThrow(CheckpointError);
    expect(() => nn.load(model, path)).toThrow(
      `${path}: its tensors aren't the model's: got missing 3.bias, 3.weight; unknown head; another shape or dtype: 0.weight is float32[4, 2], not float32[8, 4]`,
    );
    expect(await bitsOf(model)).toEqual(before);
    expect(weightsDigests(model)).toEqual({});
  });

  test("strict: false takes what fits, and something must", async () => {
    const model = built(1);
    const before = await bitsOf(model);
    nn.load(model, file(), { strict: false });
    expect(await bitsOf(model)).toEqual({ ...before, "parameter/0.bias": Array(8).fill(float32Bits(7)) });
    const variables = [["other", new Variable(zeros([2]))]] as const;
    const { tensors } = readSafetensors(file());
    expect(() => loadVariables("f", tensors, variables, { strict: false })).toThrow(
      /none of its tensors is the model's/,
    );
  });

  test("an average of a file that tells of none, whatever stands in its place", () => {
    const path = `${temporaryFolder()}/a.safetensors`;
    for (const seedgrad of [
      "",
      "null",
      "[]",
      '{"callbacks":null}',
      '{"callbacks":[1]}',
      '{"callbacks":{"ema":null}}',
    ]) {
      writeSafetensors(path, [["w", { data: new Float32Array(1), shape: [1], dtype: "float32" }]], { seedgrad });
      expect(() => nn.load(built(1), path, { weights: "average" }), seedgrad).toThrow(/no average of weights is in it/);
    }
  });

  test("no file", () => {
    expect(() => nn.load(built(1), "no/such.safetensors")).toThrow(CheckpointError);
  });
});
