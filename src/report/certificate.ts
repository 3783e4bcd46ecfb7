// What is said of a backend's class, and of the device of one of class B.
import type { Certificate, ReproducibilityClass } from "../compile/contract.ts";

/** Why a class's bits may be relied on. */
export const classWords: Readonly<Record<ReproducibilityClass, string>> = {
  A: "same bits on any machine by construction",
  B: "certified per device by a probe",
  C: "not certified",
};

/** What was found on a device, and what runs on class A instead. */
export function certificateLines(backend: string, { device, primitives, kernels }: Certificate): string[] {
  const trials = [...primitives, ...kernels];
  const faults = trials.filter(({ fault }) => fault !== undefined);
  const passed = `${trials.length - faults.length} of ${primitives.length} operations and ${kernels.length} kernels give class A's bits`;
  return [
    `${backend} on ${device}: ${passed}${faults.length > 0 ? "; what needs the rest runs on wasm:" : ""}`,
    ...faults.map(({ name, fault }) => `  ${name}: ${fault}`),
  ];
}
