// `seedgrad verify RUN`: replays a run from its folder, in memory, and compares chain and digest.
import { verifyRun } from "../verify/verify.ts";
import type { Outcome } from "./command.ts";
import type { RunFlags } from "./flags.ts";

/** Verifies a run's folder. Exit code 1 when something differs. */
export async function verify(folder: string, { backend, threads }: RunFlags): Promise<Outcome> {
  const {
    equal,
    digest,
    expected,
    steps,
    firstDifference,
    difference,
    backend: used,
  } = await verifyRun(folder, { backend, threads });
  const verdict = equal
    ? `the same: ${steps} steps replayed on ${used}`
    : `DIFFERS: ${firstDifference === undefined ? "" : `first at step ${firstDifference}: `}${difference}`;
  return {
    code: equal ? 0 : 1,
    json: { equal, digest, expected, steps, firstDifference, difference, backend: used },
    lines: [verdict, `recorded  ${expected}`, `replayed  ${digest ?? "stopped at the difference"}`],
  };
}
