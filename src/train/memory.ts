// What a run's state takes, before memory is asked for it: sizes come from configs, and one zero too many is said at once.
import type { Backend } from "../compile/contract.ts";
import { itemSize } from "../core/dtype.ts";
import { ConfigError } from "../core/errors.ts";
import { formatShape, sizeOf } from "../core/shape.ts";
import type { Trainer } from "./trainer.ts";

/** Where all of a backend's values lie in one WebAssembly memory, whose addresses have 32 bits. */
const addressSpace = 2 ** 32;

/** Throws ConfigError where parameters, optimizer state and the largest gradient can't fit the backend's memory. */
export function checkMemory(trainer: Trainer, { name }: Backend): void {
  if (!/^wasm|webasm$/.test(name)) return;
  const sizes = [...trainer.variables(), ...trainer.callbackVariables()].map(([path, { shape, dtype }]) => ({
    path,
    shape,
    bytes: sizeOf(shape) * itemSize(dtype),
  }));
  const state = sizes.reduce((total, { bytes }) => total + bytes, 0);
  const [largest] = sizes.filter(({ path }) => path.startsWith("parameter/")).sort((a, b) => b.bytes - a.bytes);
  const gradient = trainer.optimizer && largest ? largest.bytes : 0;
  if (state + gradient < addressSpace) return;
  const gib = (bytes: number) => `${(bytes / 2 ** 30).toFixed(1)} GiB`;
  throw new ConfigError({
    where: "model",
    problem: `its parameters and what is kept for them don't fit the memory of ${name}`,
    got: `${gib(state)} of state${gradient > 0 ? ` and a gradient of ${gib(gradient)}` : ""}${largest ? `; the largest parameter is ${largest.path.slice("parameter/".length)} ${formatShape(largest.shape)}` : ""}`,
    expected: `less than ${gib(addressSpace)}`,
    hint: "smaller sizes, or an optimizer that keeps less",
  });
}
