// `sweep --emit slurm|kubernetes`: a sweep as an array of jobs for a cluster's own scheduler, which needs no queue: a job has an index, and makes the run of that index. What is written has the
// plan's digest in it, so that a job of a plan that has changed since is refused, and doesn't make another run.
import { InvalidArgumentError } from "commander";
import type { Job } from "kubernetes-types/batch/v1.d.ts";
import { stringify } from "yaml";
import { sha256Hex } from "../core/canonical.ts";
import { ConfigError } from "../core/errors.ts";
import { type SweepPlan, sweepName } from "../sweep/plan.ts";
import type { Outcome } from "./command.ts";
import { callerWords } from "./fit.ts";
import { shellCommand } from "./signals.ts";

/** What a job array may be written for. */
export const schedulers = ["slurm", "kubernetes"] as const;
export type Scheduler = (typeof schedulers)[number];

/** A scheduler by its name. */
export function parseScheduler(text: string): Scheduler {
  const found = schedulers.find((name) => name === text);
  if (found) return found;
  throw new InvalidArgumentError(`expected ${schedulers.join(" or ")}`);
}

/** A sweep as jobs. */
export interface JobArray {
  readonly plan: SweepPlan;
  /** The words that a job's command begins with, after `seedgrad`: `sweep sweep.yaml`. */
  readonly command: readonly string[];
  /** Threads of a run. */
  readonly threads: number;
  /** Jobs at once; left out: as many as there is room for. */
  readonly jobs?: number;
}

/** What a plan is told by: its runs in their order, as 16 hex digits. */
const planDigest = ({ runs }: Pick<SweepPlan, "runs">): string =>
  sha256Hex(new TextEncoder().encode(runs.map(({ name }) => name).join("\n"))).slice(0, 16);

/** Throws ConfigError where a job belongs to another plan. */
export function checkPlan(plan: SweepPlan, digest: string): void {
  if (digest === planDigest(plan)) return;
  throw new ConfigError({
    where: "--plan",
    problem: "the sweep has changed since its jobs were written",
    got: planDigest(plan),
    expected: digest,
    hint: "write them again: seedgrad sweep … --emit; runs that are as they were aren't made again",
  });
}

/** Seconds that a job has to save its run before it is ended. */
const grace = 60;

/** The sweep's name as schedulers take one: lower-case letters, digits and `-`. */
function jobName({ file }: SweepPlan): string {
  const name = sweepName(file)
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-");
  return `seedgrad-${name}`.slice(0, 50).replace(/-+$/, "");
}

const commandOf = ({ plan, command }: JobArray, index: string): string[] => [
  ...command,
  "--only",
  index,
  "--plan",
  planDigest(plan),
];

/** A script for `sbatch`. A job is told a minute before its time ends, and saves; it goes on when the script is submitted again. */
function slurmScript(array: JobArray): string {
  const { plan, threads, jobs } = array;
  const index = "$SLURM_ARRAY_TASK_ID";
  const command = shellCommand(commandOf(array, index)).replace(`'${index}'`, `"${index}"`);
  return [
    "#!/bin/bash",
    `# The ${plan.runs.length} runs of a sweep: sbatch this file in the folder where it was written, and again until all are finished.`,
    `#SBATCH --job-name=${jobName(plan)}`,
    `#SBATCH --array=0-${plan.runs.length - 1}${jobs === undefined ? "" : `%${jobs}`}`,
    "#SBATCH --ntasks=1",
    `#SBATCH --cpus-per-task=${threads}`,
    `#SBATCH --signal=B:TERM@${grace}`,
    "#SBATCH --requeue",
    "#SBATCH --open-mode=append",
    "set -euo pipefail",
    `exec ${command}`,
  ].join("\n");
}

/** What Kubernetes needs beside the sweep. */
export interface EmitFlags {
  /** An image that has the command `seedgrad`. */
  readonly image?: string;
  /** The claim of a volume that holds the sweep's file, its config and data, and gets its folder. */
  readonly claim?: string;
}

/** Where the volume is in a pod, and where the command runs. */
const mount = "/sweep";

/** An indexed Job of Kubernetes (1.29 or later). A pod that is evicted begins again elsewhere; a run that fails by itself isn't tried again, and leaves the others alone. */
function kubernetesJob(array: JobArray, { image, claim }: Required<EmitFlags>): string {
  const { plan, threads, jobs } = array;
  const job: Job = {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: { name: jobName(plan) },
    spec: {
      completionMode: "Indexed",
      completions: plan.runs.length,
      parallelism: jobs ?? plan.runs.length,
      backoffLimitPerIndex: 6,
      podFailurePolicy: {
        rules: [
          { action: "Ignore", onPodConditions: [{ type: "DisruptionTarget", status: "True" }] },
          { action: "FailIndex", onExitCodes: { operator: "In", values: [1, 2] } },
        ],
      },
      template: {
        spec: {
          restartPolicy: "Never",
          terminationGracePeriodSeconds: grace,
          containers: [
            {
              name: "run",
              image,
              workingDir: mount,
              // Kubernetes gives each container its index in this variable, and puts it in.
              command: commandOf(array, "$(JOB_COMPLETION_INDEX)"),
              resources: { requests: { cpu: String(threads) } },
              volumeMounts: [{ name: "sweep", mountPath: mount }],
            },
          ],
          volumes: [{ name: "sweep", persistentVolumeClaim: { claimName: claim } }],
        },
      },
    },
  };
  return `# The ${plan.runs.length} runs of a sweep: kubectl apply -f this file.\n${stringify(job, { lineWidth: 120 })}`.trimEnd();
}

/** A sweep's runs as jobs of a scheduler's, for stdout. Throws ConfigError where a flag is missing. */
export async function emit(array: JobArray, scheduler: Scheduler, { image, claim }: EmitFlags): Promise<Outcome> {
  const { plan, command } = array;
  const needed = (name: string, value: string | undefined): string => {
    if (value !== undefined) return value;
    throw new ConfigError({
      where: "--emit kubernetes",
      problem: "a required flag is missing",
      expected: `--${name}, which seedgrad sweep --help tells of`,
    });
  };
  const text =
    scheduler === "slurm"
      ? slurmScript({ ...array, command: [...callerWords(), ...command] })
      : kubernetesJob(
          { ...array, command: ["seedgrad", ...command] },
          { image: needed("image", image), claim: needed("claim", claim) },
        );
  return { code: 0, json: { scheduler, plan: planDigest(plan), text }, lines: text.split("\n") };
}
