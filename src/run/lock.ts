// The lock of a run's folder: one process at a time. `lock` names its owner (host, boot, space of process numbers, number, start time), who writes it again
// every ten seconds. Where the owner's number means something here it is asked whether it lives; a lock that hasn't been written for two minutes is taken over
// wherever its owner was; any other counts as held. An owner who finds another's name in its place stops.
//
// Looking and taking are one act: a process may do them only while no other living one has a file of its own, named after it, beside the lock; such a file is
// never another's, so that a stale one can be removed by whoever sees it. Ages are differences of the file system's own times: clocks of hosts need not agree.
import {
  create,
  list,
  modifiedAt,
  processIdentity,
  readText,
  refresh,
  remove,
  thisPlace,
  thisProcess,
  writeAtomic,
} from "#files";
import { canonicalJson, sha256, toHex } from "../core/canonical.ts";
import { CheckpointError } from "../core/errors.ts";
import { shellWord } from "../core/printable.ts";
import { isRecord, isText, tryJson } from "./fields.ts";

/** How often two that come at once may both step back before one of them gives up. */
const attempts = 12;
/** Milliseconds, times the place in line, before another attempt. */
const pause = 15;
/** Milliseconds between two writings of a lock. */
const beatEvery = 10_000;
/** Milliseconds after which a lock that wasn't written again is nobody's. */
const staleAfter = 120_000;

interface Owner {
  readonly host: string;
  readonly boot: string;
  readonly namespace: string;
  readonly pid: number;
  readonly started: string;
}

const toBytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** A folder's lock, held by this process. */
export interface FolderLock {
  /** Says that the owner is alive, if it is time to: a timer does so too, but only where computing gives it a turn. Throws as `check`. */
  beat(): void;
  /** Says so now. Throws CheckpointError where the lock isn't this process's any more: another run may write into the folder. */
  check(): void;
  /** Whether the lock was found to be another's, or gone. */
  readonly lost: boolean;
  release(): void;
}

/** Takes the folder's lock. Throws CheckpointError when another run, of this process or another, holds it. */
export function lockFolder(folder: string): FolderLock {
  const path = `${folder}/lock`;
  const own: Owner = { ...thisPlace(), ...thisProcess() };
  const mine = canonicalJson(own);
  whileAlone(folder, own, (now) => {
    refuseIfHeld(folder, path, own, now);
    writeAtomic(path, toBytes(mine));
  });
  let lost = false;
  let last = performance.now();
  const renew = () => {
    last = performance.now();
    lost ||= !refresh(path, toBytes(mine));
  };
  const timer = setInterval(() => {
    try {
      renew();
    } catch {
      // A disk that fails now may write later; what the run itself writes fails loudly.
    }
  }, beatEvery);
  (timer as { unref?: () => void }).unref?.();
  const refuseIfLost = () => {
    if (!lost) return;
    throw new CheckpointError({
      where: folder,
      problem: "this run's lock was taken away",
      got: `${path} ${textOf(path) === undefined ? "is gone" : "names another owner"}`,
      expected: "the folder to this run alone",
      hint: "another run may go on with the folder from its last checkpoint; this one stops",
    });
  };
  return {
    beat() {
      if (performance.now() - last >= beatEvery) renew();
      refuseIfLost();
    },
    check() {
      renew();
      refuseIfLost();
    },
    get lost() {
      return lost;
    },
    release() {
      clearInterval(timer);
      if (textOf(path) === mine) remove(path);
    },
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

/** Whether an owner of a file last written so long before now holds it still; `undefined`: the file doesn't say whose it is. */
function holds(owner: Owner | undefined, age: number, own: Owner): boolean {
  if (age > staleAfter) return false;
  if (!owner || placeOf(owner) !== placeOf(own)) return true;
  return processIdentity(owner.pid) === owner.started;
}

function refuseIfHeld(folder: string, path: string, own: Owner, now: number): void {
  const written = modifiedAt(path);
  const owner = written === undefined ? undefined : parseOwner(textOf(path));
  if (written === undefined || !holds(owner, now - written, own)) return;
  throw new CheckpointError({
    where: folder,
    problem: "another run is using this folder",
    got: owner ? `process ${owner.pid} on ${owner.host}` : "a lock that doesn't say whose it is",
    expected: "a folder of its own for each run",
    hint: `wait for it (a lock that isn't renewed for ${staleAfter / 60_000} minutes is free), or choose another folder; if no run is there: rm ${shellWord(path)}`,
  });
}

/** Whether a process may be working on a folder's run: one of this machine that is there, or one elsewhere, of which nothing can be known. Nothing is written. */
export function mayBeHeld(folder: string): boolean {
  const text = textOf(`${folder}/lock`);
  return text !== undefined && holds(parseOwner(text), 0, { ...thisPlace(), ...thisProcess() });
}

/** Who a lock names; undefined for a text that names nobody. */
function parseOwner(text: string | undefined): Owner | undefined {
  const found = tryJson(text ?? "");
  if (!isRecord(found) || !Number.isSafeInteger(found.pid)) return undefined;
  return [found.host, found.boot, found.namespace, found.started].every(isText)
    ? (found as unknown as Owner)
    : undefined;
}

/** Where a process's number means what it means there, as 16 hex digits. */
const placeOf = ({ host, boot, namespace }: Owner): string =>
  toHex(sha256(toBytes(canonicalJson([host, boot, namespace])))).slice(0, 16);

const claimName = (owner: Owner): string => `lock-${placeOf(owner)}-${owner.pid}-${owner.started}`;

interface Claim {
  readonly file: string;
  readonly holds: boolean;
}

/** The claims of others in a folder. */
function otherClaims(folder: string, own: Owner, now: number): Claim[] {
  return list(folder, CheckpointError).flatMap((file) => {
    const [, place, pid, started] = /^lock-([0-9a-f]{16})-(\d+)-(\w+)$/.exec(file) ?? [];
    if (started === undefined || file === claimName(own)) return [];
    const written = modifiedAt(`${folder}/${file}`);
    const owner = place === placeOf(own) ? { ...own, pid: Number(pid), started } : undefined;
    return [{ file, holds: written !== undefined && holds(owner, now - written, own) }];
  });
}

/** Runs `body` with the time while no other process is in here. Of two that put their claims there, at least the second sees the first's, and steps back. */
function whileAlone(folder: string, own: Owner, body: (now: number) => void): void {
  const name = claimName(own);
  for (let attempt = 0; attempt < attempts; attempt++) {
    let place = 0;
    if (create(`${folder}/${name}`, new Uint8Array(0))) {
      try {
        const now = modifiedAt(`${folder}/${name}`) ?? 0;
        const claims = otherClaims(folder, own, now);
        const living = claims.filter((claim) => claim.holds);
        if (living.length === 0) {
          for (const { file } of claims) remove(`${folder}/${file}`);
          body(now);
          return;
        }
        place = living.filter(({ file }) => file < name).length;
      } finally {
        remove(`${folder}/${name}`);
      }
    }
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, pause * (place + 1));
  }
  throw new CheckpointError({
    where: folder,
    problem: "others are taking this folder's lock",
    got: `no turn in ${attempts} attempts`,
    hint: `choose another folder; if no run is there: rm ${shellWord(`${folder}/lock`)}-*`,
  });
}
