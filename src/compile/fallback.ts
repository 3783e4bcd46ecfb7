// What is said of a plan of which a backend's device failed a kernel, so that it doesn't run there.
import type { Executable } from "./contract.ts";

/** Which kernels of a plan `backend` failed, and where they run instead, in a sentence; undefined where it failed none. */
export function fallbackOf({ sources }: Executable, backend: string): string | undefined {
  const failed = sources.filter(({ fault }) => fault !== undefined);
  if (failed.length === 0) return undefined;
  const [{ where, fault }] = failed;
  const whole = sources.every((each) => each.where === where) ? "the whole plan runs" : "they run";
  const others = new Set(failed.map((each) => each.fault)).size - 1;
  const more = others > 0 ? `; and ${others} more` : "";
  return `${backend} gives other bits in ${failed.length} of ${sources.length} kernels, so ${whole} on ${where}, with the right bits: ${fault}${more}`;
}
