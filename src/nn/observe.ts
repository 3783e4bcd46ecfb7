// What the modules of a model give while a step is traced: each one's `forward` is wrapped to tell of it. The wrapping adds no nodes.
import { currentTrace, type TraceScope } from "../graph/scope.ts";
import type { Module } from "./module.ts";
import { type ModuleCall, telling, wrapForward } from "./naming.ts";

/** Records the calls of a model's modules, in the order in which they end. The path of one that isn't its module's first has `#1`, `#2` … after it. */
export class ModuleObserver {
  #calls: ModuleCall[] = [];
  /** The trace that the calls are of: others, of programs that no callback is told of, are forgotten. */
  #trace: TraceScope | undefined;

  constructor(model: Module) {
    const around = telling((call) => {
      if (currentTrace()) this.#record(call);
    });
    wrapForward(model, around);
  }

  #record(call: ModuleCall): void {
    this.#enter();
    const before = this.#calls.filter(({ module }) => module === call.module).length;
    this.#calls.push(before === 0 ? call : { ...call, path: `${call.path}#${before}` });
  }

  #enter(): void {
    const trace = currentTrace();
    if (trace !== this.#trace) this.#calls = [];
    this.#trace = trace;
  }

  /** In `onTrace`: the calls of the step that is being traced, once. */
  take(): ModuleCall[] {
    this.#enter();
    const calls = this.#calls;
    this.#calls = [];
    return calls;
  }
}
