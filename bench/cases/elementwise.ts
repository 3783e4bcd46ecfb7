// Elementwise ops: add and a fused chain from first cache to memory, and every elementary function that has a record.

import { input } from "../../kernels/expr.ts";
import { ops, zeros } from "../../src/index.ts";
import { allRecords } from "../../src/ops/define.ts";
import type { ElementwiseRecord, OpRecord } from "../../src/ops/record.ts";
import { samplesOf } from "../../src/ops/samples.ts";
import { terms } from "../../src/ops/terms.ts";
import type { Case, Ceiling } from "../harness.ts";
import { type Kernel, kernelCase, programOf } from "./kernels.ts";
import { copyProbe } from "./probe.ts";

const sizes = { "2k": 2048, "64k": 65_536, "4m": 4 * 1024 * 1024 } as const;
type Size = keyof typeof sizes;
const where = { "2k": "first cache", "64k": "second cache", "4m": "memory" } as const;

/** Time against a copy loop that moves as many bytes. `streams`: arrays read and written. */
const copying = (size: Size, streams: number): Ceiling | undefined =>
  size === "4m" ? { subject: copyProbe, work: 4 * sizes[size] * streams, perThread: false } : undefined;

const add = (size: Size): Case =>
  kernelCase(
    `add-${size}`,
    { kind: "elementwise", op: "add", operands: 2, count: sizes[size], range: [-4, 4] },
    {
      about: `add, ${where[size]}`,
      microseconds: sizes[size] / 5000,
      small: size !== "4m",
      ceiling: copying(size, 3),
    },
  );

const chain = (size: Size): Case =>
  kernelCase(
    `chain5-${size}`,
    { kind: "chain", count: sizes[size] },
    {
      about: `five operations in one pass, ${where[size]}`,
      microseconds: sizes[size] / 4000,
      small: size !== "4m",
      ceiling: copying(size, 3),
    },
  );

/** Whether the op is a function of floats alone, to a float, that computes something. */
function isFunction(record: OpRecord): record is ElementwiseRecord {
  if (record.kind !== "elementwise" || record.name === "add" || !Object.hasOwn(ops, record.name)) return false;
  try {
    const inputs = Array.from({ length: record.inputs }, (_, i) => input(i, "float32"));
    const made = programOf(workloadOf(record.name, record.inputs, samplesOf(record).range, "2k"));
    return made(...inputs.map(() => zeros([2]))).dtype === "float32" && record.value(inputs, terms, {}) !== inputs[0];
  } catch {
    // It takes other operands, or options.
    return false;
  }
}

const workloadOf = (op: string, operands: number, range: readonly [number, number], size: Size): Kernel => ({
  kind: "elementwise",
  op,
  operands,
  count: sizes[size],
  range,
});

const apply = (name: string, operands: number, range: readonly [number, number], size: Size): Case =>
  kernelCase(
    `${name}-${size}`,
    { kind: "elementwise", op: name, operands, count: sizes[size], range },
    {
      about: `${name}, ${where[size]}`,
      microseconds: sizes[size] / 700,
      small: size === "64k" && (name === "exp" || name === "gelu"),
    },
  );

const functions = allRecords()
  .filter(isFunction)
  .map((record) => apply(record.name, record.inputs, samplesOf(record).range, "64k"));

export const cases: readonly Case[] = [
  add("2k"),
  add("64k"),
  add("4m"),
  chain("2k"),
  chain("64k"),
  chain("4m"),
  ...functions,
  apply("exp", 1, [-4, 4], "4m"),
  apply("gelu", 1, [-4, 4], "4m"),
];
