// What a run's state takes, before memory is asked for it: sizes come from configs, and one zero too many is said at once.
import type { Backend } from "../compile/contract.ts";
import { itemSize } from "../core/dtype.ts";
import { ConfigError } from "../core/errors.ts";
import { formatShape, sizeOf } from "../core/shape.ts";
import type { TrainerView } from "./contract.ts";

/** The bytes that a backend's values can take: those of one WebAssembly memory have 32-bit addresses, and no other machine is asked for more than 64 GiB. */
export const memoryOf = ({ name }: Backend): number => (/^wasm|webasm$/.test(name) ? 2 ** 32 : 2 ** 36);

/** Throws ConfigError where parameters, optimizer state and the largest gradient can't fit the backend's memory. */
export function checkMemory(trainer: TrainerView, backend: Backend): void {
  const { name } = backend;
  const limit = memoryOf(backend);
  const sizes = [...trainer.variables(), ...trainer.callbackVariables()].map(([path, { shape, dtype }]) => ({
    path,
    shape,
    bytes: sizeOf(shape) * itemSize(dtype),
  }));
  const state = sizes.reduce((total, { bytes }) => total + bytes, 0);
  const [largest] = sizes.filter(({ path }) => path.startsWith("parameter/")).sort((a, b) => b.bytes - a.bytes);
  const gradient = trainer.optimizer && largest ? largest.bytes : 0;
  if (state + gradient < limit) return;
  const gib = (bytes: number) => `${(bytes / 2 ** 30).toFixed(1)} GiB`;
  throw new ConfigError({
    where: "model",
    problem: `its parameters and what is kept for them don't fit the memory of ${name}`,
    got: `${gib(state)} of state${gradient > 0 ? ` and a gradient of ${gib(gradient)}` : ""}${largest ? `; the largest parameter is ${largest.path.slice("parameter/".length)} ${formatShape(largest.shape)}` : ""}`,
    expected: `less than ${gib(limit)}`,
    hint: "smaller sizes, or an optimizer that keeps less",
  });
}
