// What a run's folder says, read and held to itself, as far as a replay needs it; and what somebody published of a run.
import { exists, list } from "#files";
import { toHex } from "../core/canonical.ts";
import { CheckpointError, ConfigError } from "../core/errors.ts";
import type { ChainLink } from "../run/chain.ts";
import { readChain } from "../run/chainfile.ts";
import { type CheckpointEntry, listCheckpoints, loadCheckpoint } from "../run/checkpoint.ts";
import { compareFacts, deciding } from "../run/facts.ts";
import { type Manifest, readManifest } from "../run/manifest.ts";
import type { ReplayOptions } from "../train/replay.ts";

/** A file has no entry of this name. */
const isFolder = (path: string): boolean => exists(`${path}/.`);

/** The folders of runs that lie in a folder, those of phases in their order. */
function runsIn(folder: string): string[] {
  if (!isFolder(folder)) return [];
  const found = list(folder).filter((name) => exists(`${folder}/${name}/manifest.json`));
  const number = (name: string) => Number(/^phase-(\d+)$/.exec(name)?.[1] ?? 0);
  return found.sort((a, b) => number(a) - number(b)).map((name) => `${folder}/${name}`);
}

/** Throws ConfigError, naming the runs that lie in it, for a path that is no run's folder. `expected`: what the path may be. */
export function requireRun(path: string, expected = "a run's folder, which holds manifest.json"): void {
  if (exists(`${path}/manifest.json`)) return;
  const inside = runsIn(path.replace(/\/+$/, ""));
  throw new ConfigError({
    where: path,
    problem: "not a run's folder",
    got: isFolder(path) ? "no manifest.json in it" : exists(path) ? "a file" : "no such folder",
    expected,
    hint:
      inside.length > 0
        ? `it holds runs: ${inside.join(" ")}`
        : "a run's folder is where fit wrote to: model_dir, or runs/ and the config's name",
  });
}

/** A run's folder as a replay sees it. */
export interface Recorded {
  readonly folder: string;
  readonly manifest: Manifest;
  readonly links: readonly ChainLink[];
  readonly entries: readonly CheckpointEntry[];
  readonly from: number;
  /** The step after which to stop; Infinity for the end. */
  readonly last: number;
  /** The file that the replay begins from. */
  readonly checkpoint: string | null;
}

/** Reads a run's folder. Throws CheckpointError for one that is damaged or was made under other numerics, ConfigError for a path that is none, for a `from` where it has no checkpoint, and for options that don't fit. */
export function readRecorded(folder: string, { from = 0, steps, against }: ReplayOptions): Recorded {
  requireRun(folder);
  const manifest = readManifest(`${folder}/manifest.json`);
  checkCount("from", from, 0);
  if (steps !== undefined) checkCount("steps", steps, 1);
  const { status, result } = manifest;
  const finished = status === "finished" && result !== undefined;
  const last = steps === undefined ? Number.POSITIVE_INFINITY : from + steps;
  const whole = finished && last >= result.steps;
  const unfinished = (there: string) =>
    new CheckpointError({
      where: folder,
      problem: "the run isn't finished",
      got: `${status}${there}`,
      expected: "finished",
      hint: "verify the steps there are, with `steps`; or fit the same config again: it resumes from the last checkpoint",
    });
  if (!finished && steps === undefined) throw unfinished("");
  const links = readLinks(folder, manifest);
  if (!finished && last > links.length) throw unfinished(`, ${links.length} steps`);
  if (against !== undefined && !whole) {
    throw new ConfigError({
      where: "against",
      problem: "a digest is of a run's end, and the replay is to stop before",
      got: `${steps} steps from step ${from}`,
      expected: finished ? `all ${result.steps - from}` : "a finished run",
      hint: "leave out `steps`",
    });
  }
  const entries = listCheckpoints(`${folder}/checkpoints`);
  const recorded = { folder, manifest, links, entries, from, last: whole ? Number.POSITIVE_INFINITY : last };
  return { ...recorded, checkpoint: from === 0 ? null : checkpointAt(recorded) };
}

/** The chain of a run's folder. Throws CheckpointError where it is damaged, or isn't the finished run's that the manifest tells of. */
export function readLinks(folder: string, { status, result }: Manifest): ChainLink[] {
  const links = readChain(`${folder}/chain.bin`);
  if (status !== "finished" || !result || links.length === result.steps) return links;
  throw new CheckpointError({
    where: `${folder}/chain.bin`,
    problem: "the chain isn't the run that the manifest tells of",
    got: `${links.length} steps`,
    expected: `${result.steps}`,
  });
}

function checkCount(where: string, value: number, least: number): void {
  if (Number.isSafeInteger(value) && value >= least) return;
  throw new ConfigError({
    where,
    problem: "not a number of steps",
    got: String(value),
    expected: `an integer ≥ ${least}`,
  });
}

/** The run's checkpoint at a step, checked to be the chain's. */
function checkpointAt({ folder, from, links, entries }: Omit<Recorded, "checkpoint">): string {
  const entry = entries.find(({ step }) => step === from);
  if (!entry) {
    throw new ConfigError({
      where: `${folder}/checkpoints`,
      problem: "there is no checkpoint at the step to begin from",
      got: `step ${from}`,
      expected:
        entries.length > 0 ? `one of ${entries.map(({ step }) => step).join(", ")}, or 0` : "0: the run kept none",
    });
  }
  const path = `${folder}/checkpoints/${entry.file}`;
  const { chain } = loadCheckpoint(path).state;
  const link = links[from - 1];
  if (!link || toHex(link.hash) !== chain) {
    throw new CheckpointError({
      where: path,
      problem: `the chain at step ${from} isn't the checkpoint's`,
      got: chain,
      expected: link ? toHex(link.hash) : `a chain of at least ${from} steps`,
    });
  }
  return path;
}

/** What must come out. */
export interface Target {
  readonly digest?: string;
  /** Where a manifest to compare with tells of another run than the folder's. */
  readonly differences: readonly string[];
}

/** What a replay must come to: the folder's own result, or what `against` names. */
export function targetOf({ manifest, last }: Recorded, against: string | undefined): Target {
  if (against === undefined)
    return { digest: last === Number.POSITIVE_INFINITY ? manifest.result?.digest : undefined, differences: [] };
  const { digest, manifest: other } = published(against);
  const differences = other ? compareFacts(manifest, other, deciding.digest) : [];
  return {
    digest,
    differences: differences.map(
      ({ what, first, second }) => `${what}: the run has ${first}, what it is held against ${second}`,
    ),
  };
}

/** What someone published of a run: a digest, or the manifest that holds it, by path or by its folder's. Throws ConfigError for neither, CheckpointError for a manifest without a result. */
export function published(against: string): { readonly digest: string; readonly manifest?: Manifest } {
  if (/^(warn:)?[0-9a-f]{64}$/.test(against)) return { digest: against };
  const path = exists(`${against}/manifest.json`) ? `${against}/manifest.json` : against;
  if (!exists(path)) {
    throw new ConfigError({
      where: "against",
      problem: "neither a digest nor a manifest",
      got: against,
      expected: "64 hex digits, a manifest.json, or a run's folder",
    });
  }
  const manifest = readManifest(path);
  if (!manifest.result)
    throw new CheckpointError({ where: path, problem: "the manifest holds no result", got: manifest.status });
  return { digest: manifest.result.digest, manifest };
}
