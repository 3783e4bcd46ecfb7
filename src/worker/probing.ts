// A backend tried in a worker of the page.
import { checkArguments, signature, string } from "../core/arguments.ts";
import type { Finding } from "../program/probe.ts";
import { askOnce } from "./link.ts";

const call = signature("probeInWorker", { backend: string });

/** What a backend is where the page is: its class, its device's certificate, and whether a small program comes to the bits of `reference`, as `seedgrad doctor` finds it. Why one isn't here is part of that. */
export function probeInWorker(backend: string): Promise<Finding> {
  checkArguments(call, arguments);
  return askOnce({ order: "probe", backend }) as Promise<Finding>;
}
