// The backends that must give reference's bits, in the ways in which they can be set up: what conformance and random graphs run on.
import { interpretBackend } from "../../src/backend/interpret.ts";
import { loadBackend } from "../../src/backend/load.ts";
import { wasmBackend } from "../../src/backend/wasm/backend.ts";
import { webgpuOver } from "../../src/backend/webgpu/backend.ts";
import { openDevice } from "../../src/backend/webgpu/device.ts";
import type { Backend } from "../../src/compile/contract.ts";

/** The backend webgpu as it is by itself: with a certificate, what a device fails would run on wasm, unseen. */
export const webgpuAlone = async (): Promise<Backend> => webgpuOver(await openDevice());

/** On several threads everything is shared out, however small: the borders between threads move no bits, nor does the vectors' width. */
export const made: Readonly<Record<string, () => Promise<Backend>>> = {
  "the kernel interpreter": async () => interpretBackend(),
  "gpujs:webasm": () => loadBackend("gpujs:webasm"),
  "gpujs:cpu": () => loadBackend("gpujs:cpu"),
  wasm: () => loadBackend("wasm"),
  "wasm on 3 threads, vectors of 8": () => wasmBackend({ threads: 3, shareFrom: 0, vectorWidth: 8 }),
  "wasm without SIMD": () => wasmBackend({ simd: false }),
};

/**
 * What takes minutes where others take seconds, since each kernel is compiled for a device in software, or tried before it runs: only where it is named. Kernels of
 * them are tried in test/backend/gpujs-webgpu.test.ts, and every 10th case in test/conformance/webgpu.test.ts.
 */
export const slow: typeof made = {
  webgpu: webgpuAlone,
  "gpujs:webgpu": () => loadBackend("gpujs:webgpu"),
};

/** The backends of which the text has a part of the name, all without a text: `gpujs;3 threads`. */
export async function loaded(text = ""): Promise<(readonly [name: string, backend: Backend])[]> {
  const parts = text.split(";");
  const all = { ...made, ...slow };
  const names = Object.keys(all).filter((name) =>
    parts.some((part) => name.includes(part) && (name in made || part !== "")),
  );
  if (names.length === 0) throw new Error(`no backend is named by ${text}: there are ${Object.keys(all).join("; ")}`);
  return Promise.all(names.map(async (name) => [name, await all[name]()] as const));
}
