// What every engine is asked to do: some training steps on the backend that a lane names: `wasm/2` is two threads, `wasm/1/scalar` without SIMD,
// `wasm/1/auto` with vectors of 8 where the engine can.
import { loadBackend } from "../../src/backend/load.ts";
import { wasmBackend } from "../../src/backend/wasm/backend.ts";
import { train as trainOn } from "../browser/program.ts";

/** Graph hash, parameters' bits and losses after three steps of a small model. */
export async function train(lane: string): ReturnType<typeof trainOn> {
  const [name, threads, form] = lane.split("/");
  if (form === "auto") return trainOn(await loadBackend("wasm", { threads: Number(threads), vectorWidth: "auto" }));
  return trainOn(
    name === "wasm" ? await wasmBackend({ threads: Number(threads), ...(form === "scalar" && { simd: false }) }) : name,
  );
}
