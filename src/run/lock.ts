// The lock of a run's folder: one process at a time. `lock` names the process and when it started, so that one left by a process that is gone
// is seen as stale and taken over. Looking and taking are one act: a process may do them only while no other living one has a file of its own,
// named by its number and start time, beside the lock; such a file is never another's, so that a stale one can be removed by whoever sees it.
import { create, list, processIdentity, readText, remove, thisProcess, writeAtomic } from "#files";
import { CheckpointError } from "../core/errors.ts";

/** How often two that come at once may both step back before one of them gives up. */
const attempts = 12;
/** Milliseconds, times the place in line, before another attempt. */
const pause = 15;

interface Holder {
  readonly pid: number;
  readonly started: string;
}

const isAlive = ({ pid, started }: Holder): boolean => processIdentity(pid) === started;
const toBytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Takes the folder's lock, and gives what releases it. Throws CheckpointError when another run, of this process or another, holds it. */
export function lockFolder(folder: string): () => void {
  const path = `${folder}/lock`;
  const mine = JSON.stringify(thisProcess());
  refuseIfHeld(folder, path);
  whileAlone(folder, () => {
    refuseIfHeld(folder, path);
    writeAtomic(path, toBytes(mine));
  });
  return () => {
    if (textOf(path) === mine) remove(path);
  };
}

/** A small file's text, or undefined where there is none. */
function textOf(path: string): string | undefined {
  try {
    return readText(path, CheckpointError);
  } catch (error) {
    if (((error as Error).cause as { code?: string })?.code === "ENOENT") return undefined;
    throw error;
  }
}

function refuseIfHeld(folder: string, path: string): void {
  const holder = parseHolder(textOf(path));
  if (!holder || !isAlive(holder)) return;
  throw new CheckpointError({
    where: folder,
    problem: "another run is using this folder",
    got: `process ${holder.pid}`,
    expected: "a folder of its own for each run",
    hint: `wait for it, or choose another folder; if no run is there, remove ${path}`,
  });
}

/** Who a lock names; a text that was cut off names nobody. */
function parseHolder(text: string | undefined): Holder | undefined {
  try {
    const { pid, started } = JSON.parse(text!);
    return { pid, started };
  } catch {
    return undefined;
  }
}

interface Claim extends Holder {
  readonly file: string;
}

/** The claims of others in a folder, by process number. */
function otherClaims(folder: string, own: string): Claim[] {
  return list(folder, CheckpointError)
    .filter((file) => file !== own)
    .flatMap((file) => {
      const [, pid, started] = /^lock-(\d+)-(\w+)$/.exec(file) ?? [];
      return started === undefined ? [] : [{ file, pid: Number(pid), started }];
    })
    .sort((a, b) => a.pid - b.pid);
}

/** Runs `body` while no other process is in here. Of two that put their claims there, at least the second sees the first's, and steps back. */
function whileAlone(folder: string, body: () => void): void {
  const { pid, started } = thisProcess();
  const own = `lock-${pid}-${started}`;
  for (let attempt = 0; attempt < attempts; attempt++) {
    let place = 0;
    if (create(`${folder}/${own}`, new Uint8Array(0))) {
      try {
        const claims = otherClaims(folder, own);
        const living = claims.filter(isAlive);
        if (living.length === 0) {
          for (const { file } of claims) remove(`${folder}/${file}`);
          body();
          return;
        }
        place = living.filter((claim) => claim.pid < pid).length;
      } finally {
        remove(`${folder}/${own}`);
      }
    }
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, pause * (place + 1));
  }
  throw new CheckpointError({
    where: folder,
    problem: "others are taking this folder's lock",
    got: `no turn in ${attempts} attempts`,
    hint: `choose another folder; if no run is there, remove the files ${folder}/lock-*`,
  });
}
