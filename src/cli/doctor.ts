// `seedgrad doctor`: each backend, its class, and what a probe of it found: the bits of a small program against reference's.
import { backendNames, loadBackend } from "../backend/load.ts";
import { findWidth } from "../backend/wasm/width.ts";
import type { Certificate } from "../compile/contract.ts";
import { canonicalBytes, sha256, toHex } from "../core/canonical.ts";
import { numericsId } from "../core/numerics.ts";
import { compile } from "../program/compiled.ts";
import { Stream } from "../rng/stream.ts";
import { matmul, normal, softmax, sum, uniform } from "../tensor/functions.ts";
import type { Outcome } from "./command.ts";
import { table } from "./command.ts";

interface Finding {
  readonly backend: string;
  readonly class: string;
  readonly threads: number;
  readonly found: string;
  readonly ok: boolean;
  /** Elements that neighbouring vectors compute together. */
  readonly vectorWidth: number;
  /** Of class B: what was found on its device. */
  readonly certificate?: Certificate;
}

/** Random numbers, a matmul, elementary functions and reductions: the SHA-256 of the result's bits. */
async function probe(name: string): Promise<Omit<Finding, "backend" | "found" | "ok"> & { readonly bits: string }> {
  const backend = await loadBackend(name);
  try {
    const program = compile(
      () => {
        const x = uniform([32, 300], -1, 1);
        const logits = matmul(x, normal([300, 40])).mul(0.1);
        return sum(
          softmax(logits)
            .log()
            .mul(x.exp().sin().sum({ axis: 1, keepDims: true })),
          { axis: 0 },
        );
      },
      { backend, stream: new Stream(0n), name: "probe" },
    );
    const bits = toHex(sha256(canonicalBytes(await (await program()).data())));
    const { class: kind, threads, target, certificate } = backend;
    return { bits, class: kind, threads, vectorWidth: target.vectorWidth, ...(certificate && { certificate }) };
  } finally {
    await backend.dispose();
  }
}

/** What was found on a device, and what runs on class A instead. */
function certificateLines(backend: string, { device, primitives, kernels }: Certificate): string[] {
  const trials = [...primitives, ...kernels];
  const faults = trials.filter(({ fault }) => fault !== undefined);
  const passed = `${trials.length - faults.length} of ${primitives.length} operations and ${kernels.length} kernels give class A's bits`;
  return [
    `${backend} on ${device}: ${passed}${faults.length > 0 ? "; what needs the rest runs on wasm:" : ""}`,
    ...faults.map(({ name, fault }) => `  ${name}: ${fault}`),
  ];
}

/** Probes every backend. Exit code 1 when one of class A gives other bits than reference. */
export async function doctor(): Promise<Outcome> {
  const expected = (await probe("reference")).bits;
  const findings: Finding[] = [];
  for (const name of backendNames) {
    try {
      const { bits, ...rest } = await probe(name);
      const ok = bits === expected;
      findings.push({
        backend: name,
        ...rest,
        ok,
        found: ok ? "same bits as reference" : "OTHER BITS than reference",
      });
    } catch (error) {
      findings.push({
        backend: name,
        class: "-",
        threads: 0,
        vectorWidth: 0,
        ok: false,
        found: `not here: ${(error as Error).message.split("\n")[0]}`,
      });
    }
  }
  const width = await findWidth();
  const wrong = findings.some((finding) => finding.class === "A" && !finding.ok);
  return {
    code: wrong ? 1 : 0,
    json: {
      numerics: numericsId,
      engine: process.version,
      platform: `${process.platform}-${process.arch}`,
      probe: expected,
      vectors: width,
      backends: findings,
    },
    lines: [
      `numerics ${numericsId} | Node ${process.version} | ${process.platform}-${process.arch} | probe ${expected.slice(0, 12)}`,
      ...table([
        ["backend", "class", "threads", "vectors", "probe"],
        ...findings.map(({ backend, class: kind, threads, vectorWidth, found }) => {
          return [backend, kind, String(threads), vectorWidth > 1 ? `of ${vectorWidth}` : "-", found];
        }),
      ]),
      ...findings.flatMap(({ backend, certificate }) => (certificate ? certificateLines(backend, certificate) : [])),
      `vectors of ${width.width}: ${width.reason}`,
      "class A: same bits on any machine by construction; B: certified per device by a probe; C: not certified",
    ],
  };
}
