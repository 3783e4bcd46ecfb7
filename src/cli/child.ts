// A job in a process of its own: what trains may block, and a crash of it is the crash of one run.
import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { errorOf } from "../core/failures.ts";
import type { Ending, Making, StartMaking } from "../sweep/making.ts";
import type { JobEvent, JobOrder } from "./job.ts";

/** Letters of what a process wrote before it died that are told. */
const lastWords = 400;

/** What a process that trains has no use for. */
const secret = /^(REDIS_|AWS_)/;

/** Starts the processes of jobs, with what each is told beside its job and folder. */
export function startsJobs(given: Omit<JobOrder, "job" | "folder">): StartMaking {
  return (job, folder, events): Making => {
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
    const ended = new Promise<Ending>((resolve) => {
      child.on("error", (error) => resolve({ type: "crashed", how: String(error) }));
      child.on("message", (event: JobEvent) => {
        if (event.type === "saved") events.saved();
        else if (event.type === "progress") events.progress(event);
        else if (event.type === "failed") resolve({ type: "failed", error: errorOf(event.failure) });
        else resolve(event);
      });
      child.on("exit", (code, signal) => {
        const how = signal === null ? `exited with code ${code}` : `was ended by ${signal}`;
        resolve({ type: "crashed", how: `the job's process ${how}${said && `: ${said.trim()}`}` });
      });
    });
    child.send({ ...given, job, folder } satisfies JobOrder);
    return { ended, stop: () => void child.kill("SIGTERM"), kill: () => void child.kill("SIGKILL") };
  };
}
