// npm run gpu, which people with a GPU are asked to run, from end to end on SwiftShader: the certificate, both digests, and a small case of the bench.
import { spawn } from "node:child_process";
import { expect, test } from "vitest";
import type { Certificate } from "../../../src/compile/contract.ts";
import { root } from "../../support/sources.ts";
import { noWebgpu } from "../../support/swiftshader.ts";

test.skipIf(noWebgpu)(
  "npm run gpu prints a certificate without faults, equal digests, and times on both backends",
  async () => {
    const gpu = spawn("npm", ["run", "--silent", "gpu", "--", "--filter", "^add-2k$", "--rounds", "2"], { cwd: root });
    let [said, errors] = ["", ""];
    gpu.stdout.on("data", (text) => (said += text));
    gpu.stderr.on("data", (text) => (errors += text));
    const status = await new Promise((resolve) => gpu.on("close", resolve));
    expect(status, errors).toBe(0);
    const end = said.indexOf("\n}\n") + 2;
    const { digests, certificate } = JSON.parse(said.slice(0, end)) as {
      readonly digests: Readonly<Record<"webgpu" | "wasm", string>>;
      readonly certificate: Certificate;
    };
    expect(digests.webgpu).toMatch(/^[0-9a-f]{64}$/);
    expect(digests.webgpu).toBe(digests.wasm);
    const tried = [...certificate.primitives, ...certificate.kernels];
    expect(tried.filter(({ fault }) => fault !== undefined)).toEqual([]);
    expect(certificate.primitives.length).toBeGreaterThan(40);
    expect(certificate.kernels.length).toBeGreaterThan(20);
    expect(certificate.audit.tiles).toBeGreaterThan(0);
    const [summary, ...bench] = said.slice(end).trim().split("\n");
    expect(summary).toMatch(/swiftshader.*: 0 faults; the same digest$/i);
    for (const backend of ["wasm", "webgpu"]) expect(bench.join("\n")).toMatch(new RegExp(`add-2k.*\\b${backend}\\b`));
  },
  600_000,
);
