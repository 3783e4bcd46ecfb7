// What was measured on.
import { availableParallelism, cpus, loadavg, release, totalmem, type } from "node:os";
import { numericsId } from "../src/index.ts";
import type { Machine } from "./results.ts";

/** The load average over the last minute. */
export const load = (): number => Number(loadavg()[0].toFixed(2));

/** This machine, with the load before and after, and the vectors' width. */
export function describeMachine(before: number, after: number, width: 4 | 8): Machine {
  return {
    cpu: cpus()[0].model.trim(),
    cores: availableParallelism(),
    memory_gib: Number((totalmem() / 2 ** 30).toFixed(1)),
    os: `${type()} ${release()} ${process.arch}`,
    engine: `Node ${process.versions.node}, V8 ${process.versions.v8}, vectors of ${width}`,
    numerics: numericsId,
    load: [before, after],
    day: new Date().toISOString().slice(0, 10),
  };
}

/** What to say of results that were measured beside other work, or undefined: the load before counts, since the bench makes its own. */
export function busy({ load: [before], cores }: Pick<Machine, "load" | "cores">): string | undefined {
  if (before <= cores / 2) return undefined;
  return `measured beside other work (load ${before} on ${cores} cores): times are upper bounds, those of several threads most of all`;
}
