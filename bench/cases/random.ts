// Random numbers from the stream.
import type { Case } from "../harness.ts";
import { kernelCase } from "./kernels.ts";

const m4 = 4 * 1024 * 1024;

export const cases: readonly Case[] = [
  kernelCase("uniform-64k", { kind: "uniform", count: 65_536 }, { microseconds: 60, small: true }),
  kernelCase("uniform-4m", { kind: "uniform", count: m4 }, { microseconds: 4000 }),
  kernelCase("normal-64k", { kind: "normal", count: 65_536 }, { microseconds: 300, small: true }),
  kernelCase("normal-4m", { kind: "normal", count: m4 }, { microseconds: 16_000 }),
  kernelCase("permutation-60k", { kind: "permutation", count: 60_000 }, { microseconds: 200 }),
];
