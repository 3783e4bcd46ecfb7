// What a row's bar belongs to, and in which colour it is drawn.
import type { BarColours } from "../../src/report/bars.ts";
import type { Row } from "../results.ts";

export type Kind = "wasm" | "other" | "pytorch" | "peer" | "host";

export const colours: BarColours & Readonly<Record<Kind, readonly [string, string]>> = {
  wasm: ["#0b6e4f", "#3ecf9a"],
  other: ["#7a8b99", "#8fa3b3"],
  pytorch: ["#c2501a", "#ff8f57"],
  peer: ["#4a5fc1", "#93a5ff"],
  host: ["#8a6d1d", "#e0b84c"],
};

export const kindNames: Readonly<Record<Kind, string>> = {
  wasm: "seedgrad wasm",
  other: "seedgrad, other backends",
  pytorch: "PyTorch",
  peer: "tfjs, jax-js, gpu.js",
  host: "host",
};

export function kindOf({ backend, peer }: Row): Kind {
  if (peer !== undefined) return backend.startsWith("pytorch:") ? "pytorch" : "peer";
  return backend === "wasm" || backend === "host" ? backend : "other";
}
