// Processes as others can tell them, for `#files`: whose lock it is, and whether its owner still runs.
import { existsSync, readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";

/** When a process started, in the system's own terms, so that a number used again isn't taken for the same process; `running` where that can't be known; undefined if there is no such process. */
export function processIdentity(pid: number): string | undefined {
  if (!Number.isInteger(pid) || pid <= 0) return undefined;
  try {
    // proc(5): the start time is field 22; the name, field 2 in parentheses, may hold spaces.
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    return text.slice(text.lastIndexOf(")") + 2).split(" ")[19];
  } catch {
    if (existsSync("/proc/self/stat")) return undefined;
  }
  try {
    process.kill(pid, 0);
    return "running";
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM" ? "running" : undefined;
  }
}

/** A process as others can tell it: where its number means something, and which of those that had the number it is. */
export interface ProcessPlace {
  readonly host: string;
  /** Of this start of the system; empty where it can't be known. */
  readonly boot: string;
  /** The space of process numbers, a container's own; empty where it can't be known. */
  readonly namespace: string;
}

/** Where this process is. */
export function thisPlace(): ProcessPlace {
  const known = (body: () => string): string => {
    try {
      return body().trim();
    } catch {
      return "";
    }
  };
  return {
    host: hostname(),
    boot: known(() => readFileSync("/proc/sys/kernel/random/boot_id", "utf8")),
    namespace: known(() => readlinkSync("/proc/self/ns/pid")),
  };
}

/** This process, as `processIdentity` tells it. */
export function thisProcess(): { pid: number; started: string } {
  return { pid: process.pid, started: processIdentity(process.pid)! };
}
