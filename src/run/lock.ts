// The lock of a run's folder: one process at a time. It names the process and when it started, so that one left by a process that is gone
// is seen as stale and taken over.
import { create, exists, processIdentity, readText, remove, rename, thisProcess } from "#files";
import { CheckpointError } from "../core/errors.ts";

/** How often two that want the same stale lock may get in each other's way. */
const attempts = 20;

/** Takes the folder's lock, and gives what releases it. Throws CheckpointError when another run holds it. */
export function lockFolder(folder: string): () => void {
  const path = `${folder}/lock`;
  const mine = JSON.stringify(thisProcess());
  for (let i = 0; i < attempts; i++) {
    if (create(path, new TextEncoder().encode(mine))) return () => release(path, mine);
    const holder = readHolder(path);
    if (holder === undefined) continue;
    const { pid, started } = holder.identity;
    if (processIdentity(pid) === started) {
      throw new CheckpointError({
        where: folder,
        problem: "another run is using this folder",
        got: `process ${pid}`,
        expected: "a folder of its own for each run",
        hint: `wait for it, or choose another folder; if no run is there, remove ${path}`,
      });
    }
    takeAway(path, holder.text);
  }
  throw new CheckpointError({
    where: folder,
    problem: "the folder's lock can't be had",
    got: `${attempts} attempts`,
    hint: `if no run is there, remove ${path}`,
  });
}

interface Holder {
  readonly text: string;
  readonly identity: { readonly pid: number; readonly started: string };
}

function readHolder(path: string): Holder | undefined {
  let text: string;
  try {
    text = readText(path, CheckpointError);
  } catch (error) {
    if (!exists(path)) return undefined;
    throw error;
  }
  try {
    return { text, identity: JSON.parse(text) };
  } catch {
    // Cut off while it was written: whoever wrote it is gone, or will find another's lock.
    return { text, identity: { pid: -1, started: "" } };
  }
}

/** Moves a stale lock away by rename, which only one of several can do; one that isn't the stale lock any more goes back. */
function takeAway(path: string, stale: string): void {
  const aside = `${path}.${thisProcess().pid}`;
  if (!rename(path, aside)) return;
  if (readText(aside, CheckpointError) !== stale && !exists(path)) rename(aside, path);
  else remove(aside);
}

function release(path: string, mine: string): void {
  if (exists(path) && readText(path, CheckpointError) === mine) remove(path);
}
