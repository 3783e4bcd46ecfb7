// Backends tried by a small program: whether each is here, what it is, and whether its bits are those of `reference`, the executable meaning.
import { loadBackend } from "../backend/load.ts";
import type { Certificate, ReproducibilityClass } from "../compile/contract.ts";
import { canonicalBytes, sha256, toHex } from "../core/canonical.ts";
import { Stream } from "../rng/stream.ts";
import { matmul, normal, softmax, sum, uniform } from "../tensor/families/basic.ts";
import { compile } from "./compiled.ts";

/** What there is to know of a backend that is here. */
interface Probed {
  readonly class: ReproducibilityClass;
  readonly threads: number;
  /** Elements that neighbouring vectors compute together. */
  readonly vectorWidth: number;
  /** Of class B: what was found on its device. */
  readonly certificate?: Certificate;
}

/** What a probe found. */
export type Finding = { readonly backend: string; readonly ok: boolean; readonly found: string } & (
  | Probed
  | { readonly class: "-"; readonly threads: 0; readonly vectorWidth: 0 }
);

export async function probe(name: string): Promise<Probed & { readonly bits: string }> {
  const backend = await loadBackend(name);
  try {
    const program = compile(
      () => {
        const x = uniform([32, 300], -1, 1);
        const logits = matmul(x, normal([300, 40])).mul(0.1);
        // Of a row's sum only: a device in software takes seconds to try a sine on hundreds of terms.
        const waves = sum(x, { axis: 1, keepDims: true }).exp().sin();
        return sum(softmax(logits).log().mul(waves), { axis: 0 });
      },
      { backend, stream: new Stream(0n), name: "probe" },
    );
    const bits = toHex(sha256(canonicalBytes(await (await program()).data())));
    const { class: kind, threads, target, certificate } = backend;
    return {
      bits,
      class: kind,
      threads,
      vectorWidth: target.vectorWidth,
      ...(certificate && { certificate }),
    };
  } finally {
    await backend.dispose();
  }
}

/** Probes a backend. `expected`: the bits that reference gives. */
export async function findingOf(backend: string, expected: string): Promise<Finding> {
  try {
    const { bits, ...probed } = await probe(backend);
    const ok = bits === expected;
    return { backend, ...probed, ok, found: ok ? "same bits as reference" : "OTHER BITS than reference" };
  } catch (error) {
    const found = `not here: ${(error as Error).message.split("\n")[0]}`;
    return { backend, class: "-", threads: 0, vectorWidth: 0, ok: false, found };
  }
}
