// Runs that were made elsewhere, judged in a worker of the page: verified by replay, and compared.
import { type Threads, threadsKind } from "../backend/load.ts";
import { checkArguments, count, options, signature, string } from "../core/arguments.ts";
import type { Verification } from "../run/verification.ts";
import { type GivenFiles, givenFiles, givenKind } from "./given.ts";
import { askOnce } from "./link.ts";

interface JudgingJob {
  /** What is read, by its paths: the files of the runs' folders, and those of the data that their configs name. */
  readonly files: GivenFiles;
  /** As many as the machine runs at once, unless given; one where the page isn't cross-origin isolated. No bit depends on it. */
  readonly threads?: Threads;
  /** At most so many steps. */
  readonly steps?: number;
}

/** What is to be verified. */
export interface VerificationJob extends JudgingJob {
  /** The run's folder, a path in `files`. */
  readonly folder: string;
  /** The backend's name: the run's own unless given. */
  readonly backend?: string;
  /** The run's checkpoint that is replayed from: 0, the beginning, unless given. */
  readonly from?: number;
  /** The digest that is to come out, in place of what the folder says. */
  readonly against?: string;
}

/** What is to be compared. */
export interface ComparisonJob extends JudgingJob {
  /** The runs' folders, or configs, paths in `files`. */
  readonly first: string;
  readonly second: string;
}

/** What a comparison found. */
export interface Comparison {
  readonly equal: boolean;
  /** For people: as `seedgrad diff` prints it. */
  readonly lines: readonly string[];
}

const judged = { files: givenKind, "threads?": threadsKind, "steps?": count };
const verifying = signature("verifyInWorker", {
  job: options<VerificationJob>({ ...judged, folder: string, "backend?": string, "from?": count, "against?": string }),
});
const comparing = signature("diffInWorker", {
  job: options<ComparisonJob>({ ...judged, first: string, second: string }),
});

/** Replays a YAML run in a worker, link by link, as `verifyRun` does. Rejects with the errors of that. */
export function verifyInWorker(job: VerificationJob): Promise<Verification> {
  checkArguments(verifying, arguments);
  const { files, folder, threads = "all", ...how } = job;
  return askOnce({
    order: "verify",
    folder,
    files: givenFiles(files),
    how: { ...how, threads },
  }) as Promise<Verification>;
}

/** Why two runs or configs differ, found in a worker, as `diffRuns` does. Rejects with the errors of that. */
export function diffInWorker(job: ComparisonJob): Promise<Comparison> {
  checkArguments(comparing, arguments);
  const { files, first, second, threads = "all", ...how } = job;
  return askOnce({
    order: "diff",
    runs: [first, second],
    files: givenFiles(files),
    how: { ...how, threads },
  }) as Promise<Comparison>;
}
