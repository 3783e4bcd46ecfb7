// A JavaScript peer's side of the conversation: one JSON command a line on stdin, one answer a line on stdout behind an @. Work is timed here,
// in the peer's own process, so that nothing of the conversation is on the clock.
import { createInterface } from "node:readline";
import { bitsOf } from "../bits.ts";
import type { Workload } from "../workloads.ts";

// biome-ignore lint/suspicious/noExplicitAny: peers are installed on the side, so their types aren't here
export type Loose = any;

/** A workload in a peer's hands. */
export interface PeerRun {
  /** Does the work once and gives its result up; resolves when it is done. */
  run(): unknown;
  /** The result's elements, for kernels whose inputs are the same everywhere. */
  result?(): Float32Array | Int32Array | Promise<Float32Array | Int32Array>;
  dispose?(): void;
}

export interface Peer {
  /** As in a row: `tfjs 4.22.0`. */
  readonly version: string;
  /** Throws Cannot for what the peer has no way to do. */
  prepare(workload: Workload): PeerRun | Promise<PeerRun>;
}

/** Why a peer can't do a workload. */
export class Cannot extends Error {}

type Command =
  | { readonly do: "prepare"; readonly workload: Workload }
  | { readonly do: "run"; readonly calls: number }
  | { readonly do: "bits" | "release" };

/** Answers commands until stdin ends. */
export async function serve(peer: Peer): Promise<void> {
  const answer = (message: object) => process.stdout.write(`@${JSON.stringify(message)}\n`);
  let current: PeerRun | undefined;
  const obey = async (command: Command): Promise<object> => {
    switch (command.do) {
      case "prepare":
        current = await peer.prepare(command.workload);
        return {};
      case "run": {
        const { run } = current!;
        const start = performance.now();
        for (let i = 0; i < command.calls; i++) {
          const pending = run();
          if (pending instanceof Promise) await pending;
        }
        return { ms: (performance.now() - start) / command.calls };
      }
      case "bits":
        return { bits: current!.result ? bitsOf(await current!.result()) : "" };
      case "release":
        current?.dispose?.();
        current = undefined;
        return {};
    }
  };
  answer({ version: peer.version });
  for await (const line of createInterface({ input: process.stdin })) {
    try {
      answer(await obey(JSON.parse(line)));
    } catch (error) {
      const text = String((error as Error).message ?? error)
        .split("\n")[0]
        .slice(0, 200);
      answer(error instanceof Cannot ? { cannot: text } : { error: text });
    }
  }
  process.exit(0);
}
