// A page's side of one worker: each order has its answer, and where the thread ends by itself every order that waits fails.
import { startThread, type WorkerHandle } from "#thread";
import { BackendError } from "../core/errors.ts";
import { errorOf } from "./failures.ts";
import type { FromWorker, Order, ToWorker, TrainingEvent } from "./messages.ts";
import { send } from "./sending.ts";

interface Waiting {
  resolve(value: unknown): void;
  reject(error: Error): void;
}

/** A worker, and what it was asked. */
export class Link {
  readonly #waiting = new Map<number, Waiting>();
  readonly #handle: WorkerHandle;
  #orders = 0;
  #ended: string | undefined;

  /** Starts one. */
  constructor(told: (event: TrainingEvent) => void = () => {}) {
    this.#handle = startThread({
      message: (message) => {
        const report = message as FromWorker;
        if ("event" in report) told(report.event);
        else if ("failure" in report) this.#take(report.id)?.reject(errorOf(report.failure));
        else this.#take(report.id)?.resolve(report.value);
      },
      ended: (reason) => this.end(reason),
    });
    this.#handle.hold(false);
  }

  #take(id: number): Waiting | undefined {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    this.#handle.hold(this.#waiting.size > 0);
    return waiting;
  }

  /** Gives an order. Of what is in `transfer` the memory itself goes. Rejects with the worker's own error, ConfigError for what can't be sent, or BackendError where the worker has ended. */
  ask(order: Order, transfer: readonly Transferable[] = []): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (this.#ended !== undefined) {
        reject(endedBy(this.#ended));
        return;
      }
      const id = this.#orders++;
      send("what is asked of it", transfer, () => this.#handle.post({ id, order } satisfies ToWorker, transfer));
      this.#waiting.set(id, { resolve, reject });
      this.#handle.hold(true);
    });
  }

  /** Asks a training to end after the step that it is in. */
  stop(): void {
    if (this.#ended === undefined) this.#handle.post({ stop: true } satisfies ToWorker);
  }

  /** Ends the thread at once; orders that wait reject with BackendError. */
  end(reason: string): void {
    if (this.#ended !== undefined) return;
    this.#ended = reason;
    this.#handle.stop();
    for (const { reject } of this.#waiting.values()) reject(endedBy(reason));
    this.#waiting.clear();
  }
}

/** What a worker of its own answers to one order. */
export async function askOnce(order: Order): Promise<unknown> {
  const link = new Link();
  try {
    return await link.ask(order);
  } finally {
    link.end("it is done");
  }
}

function endedBy(reason: string): BackendError {
  return new BackendError({ where: "worker", problem: "the worker has ended", got: reason, hint: "start another one" });
}
