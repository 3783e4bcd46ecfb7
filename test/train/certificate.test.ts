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
import { noWebgpu } from "../support/swiftshader.ts";
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

/** What a training on a device says, with its level, and its steps, in order. */
async function said(backend: Backend): Promise<string[]> {
  const order: string[] = [];
  const logger = {
    changesTraining: false,
    logMessage: (level: string, text: string) => void order.push(`${level}: ${text}`),
    onTrainBatchEnd: () => void order.push("step"),
  } as const;
  await toyTrainer({ backend, loggers: [logger], logging: { logLevel: "debug" } }).fit(toyTrain({ dropLast: false }));
  return order;
}

test("what its device fails is said once, before the first step, though several graphs fail", async () => {
  const order = await said(await certified(device(faults.contracts), wasm, "a device"));
  expect(order.filter((each) => each.startsWith("debug: made compiled graph")).length).toBeGreaterThan(1);
  const warned = order.filter((each) => each.startsWith("warn"));
  expect(warned).toEqual([
    expect.stringMatching(
      /^warn: train: device gives other bits in [1-9]\d* of \d+ kernels, so the whole plan runs on wasm, with the right bits: \S/,
    ),
  ]);
  expect(order.indexOf(warned[0])).toBeLessThan(order.indexOf("step"));
  expect((await said(await certified(device(), wasm, "a device"))).join()).not.toContain("warn");
});

test("an audit of a share: on a backend that has none, or is loaded already, it is refused", async () => {
  for (const [options, got] of [
    [{ backend: "wasm" }, "wasm"],
    [{ backend: "gpujs:cpu", threads: 1 }, "gpujs:cpu"],
    [{ backend: await certified(device(), wasm, "a device") }, "device, which is loaded already"],
  ] as const)
    await expect(toyTrainer({ ...options, audit: 0.5 }).fit(toyTrain())).rejects.toThrow(
      expect.objectContaining({ name: "BackendError", where: "audit", got, expected: "gpujs:webgpu, webgpu" }),
    );
  await expect(loadBackend("reference", { audit: 0 })).rejects.toThrow(/this backend has no audit: got reference/);
});

test.skipIf(noWebgpu)(
  "an audit of a Trainer is its backend's, and a replay elsewhere needs none",
  async () => {
    const modelDir = join(temporaryFolder(), "run");
    const trainer = toyTrainer({ backend: "gpujs:webgpu", audit: 1, modelDir, loop: { numSteps: 1 } });
    await trainer.fit(toyTrain());
    const { certificate } = readManifest(join(modelDir, "manifest.json"));
    expect(certificate!.audit.share).toBe(1);
    expect(certificate!.audit.tiles).toBeGreaterThan(0);
    expect((await trainer.verify(modelDir, { backend: "wasm" })).equal).toBe(true);
    await (await trainer.backend()).dispose();
  },
  600_000,
);

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
