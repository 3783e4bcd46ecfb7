// A job in a process of its own: what trains may block, and a crash of it is the crash of one run.
import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { CheckEnding } from "../sweep/check.ts";
import type { Checks } from "../sweep/checking.ts";
import type { Ending, Making, MakingEvents, StartMaking } from "../sweep/making.ts";
import { errorOf } from "../worker/failures.ts";
import type { JobEvent, JobOrder } from "./job.ts";

/** Letters of what a process wrote before it died that are told. */
const lastWords = 400;

/** What a process that trains has no use for. */
const secret = /^(REDIS_|AWS_)/;

/** What is told to each process beside its job and folder. */
export type Given = Omit<JobOrder, "job" | "folder" | "task">;

/** Starts the processes that make runs. */
export function startsJobs(given: Given): StartMaking {
  return (job, folder, events): Making => {
    const { child, ended } = startProcess({ ...given, job, folder }, events);
    const asMade = ended.then((ending): Ending => {
      if (ending.type !== "done") return ending;
      return { type: "crashed", how: "the job's process did something else" };
    });
    return { ended: asMade, stop: () => void child.kill("SIGTERM"), kill: () => void child.kill("SIGKILL") };
  };
}

/** Starts the processes that check runs. */
export function startsChecks(given: Given): Checks["start"] {
  return ({ job }, folder, task) => {
    const { child, ended } = startProcess({ ...given, job, folder, task });
    const asChecked = ended.then((ending): CheckEnding => {
      if (ending.type !== "finished") return ending;
      return { type: "crashed", how: "the check's process did something else" };
    });
    return { ended: asChecked, kill: () => void child.kill("SIGKILL") };
  };
}

function startProcess(
  order: JobOrder,
  events?: MakingEvents,
): { readonly child: ChildProcess; readonly ended: Promise<Ending | CheckEnding> } {
  const file = import.meta.url.endsWith(".ts") ? "./job.ts" : "./job.js";
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !secret.test(name)));
  const child = fork(fileURLToPath(new URL(file, import.meta.url)), {
    env,
    stdio: ["ignore", "ignore", "pipe", "ipc"],
    serialization: "advanced",
  });
  let said = "";
  child.stderr!.on("data", (data) => {
    said = (said + data).slice(-lastWords);
  });
  const ended = new Promise<Ending | CheckEnding>((resolve) => {
    child.on("error", (error) => resolve({ type: "crashed", how: String(error) }));
    child.on("message", (event: JobEvent) => {
      if (event.type === "saved") events?.saved();
      else if (event.type === "progress") events?.progress(event);
      else if (event.type === "failed") resolve({ type: "failed", error: errorOf(event.failure) });
      else resolve(event);
    });
    child.on("exit", (code, signal) => {
      const how = signal === null ? `exited with code ${code}` : `was ended by ${signal}`;
      resolve({ type: "crashed", how: `the job's process ${how}${said && `: ${said.trim()}`}` });
    });
  });
  child.send(order);
  return { child, ended };
}
