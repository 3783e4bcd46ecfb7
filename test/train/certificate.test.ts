// A run on a backend of class B: refused in strict without a certificate, as good as class A's with one, which its manifest has.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { certified } from "../../src/backend/certificate.ts";
import { loadBackend } from "../../src/backend/load.ts";
import type { Backend } from "../../src/compile/contract.ts";
import { CheckpointError, ReproError } from "../../src/core/errors.ts";
import { readManifest } from "../../src/run/manifest.ts";
import { device, faults } from "../support/faulty.ts";
import { temporaryFolder } from "../support/folder.ts";
import { toyTrain, toyTrainer } from "../support/toy.ts";

let wasm: Backend;
let digest: string;
beforeAll(async () => {
  wasm = await loadBackend("wasm");
  digest = (await toyTrainer({ backend: wasm }).fit(toyTrain())).digest;
});
afterAll(() => wasm?.dispose());

test("without a certificate: refused in strict, marked in warn", async () => {
  await expect(toyTrainer({ backend: device() }).fit(toyTrain())).rejects.toThrow(ReproError);
  await expect(toyTrainer({ backend: device() }).fit(toyTrain())).rejects.toThrow(/certificate/);
  const run = await toyTrainer({ backend: device(), deterministic: "warn" }).fit(toyTrain());
  expect(run.digest).toBe(`warn:${digest}`);
});

test.each(["none", ...Object.keys(faults)])("with one, fault of the device: %s: class A's digest", async (fault) => {
  const modelDir = join(temporaryFolder(), "run");
  const backend = await certified(device(faults[fault]), wasm, "a device");
  const run = await toyTrainer({ backend, modelDir }).fit(toyTrain());
  expect(run.digest).toBe(digest);
  const path = join(modelDir, "manifest.json");
  const { certificate, environment, deterministic } = readManifest(path);
  expect(environment.class).toBe("B");
  expect(deterministic).toBe("strict");
  expect(certificate!.device).toBe("a device");
  expect(certificate!.primitives.some((trial) => trial.fault !== undefined)).toBe(fault !== "none");
  if (fault === "none") expect(certificate!.kernels.length).toBeGreaterThan(0);
});

test("a damaged certificate is refused by name", async () => {
  const modelDir = join(temporaryFolder(), "run");
  const backend = await certified(device(), wasm, "a device");
  await toyTrainer({ backend, modelDir, loop: { numSteps: 1 } }).fit(toyTrain());
  const path = join(modelDir, "manifest.json");
  const manifest = JSON.parse(readFileSync(path, "utf8"));
  for (const certificate of [{}, { ...manifest.certificate, primitives: [{ name: "add" }] }, 3]) {
    writeFileSync(path, JSON.stringify({ ...manifest, certificate }));
    expect(() => readManifest(path)).toThrow(CheckpointError);
    expect(() => readManifest(path)).toThrow(/certificate/);
  }
});
