// What the modules of a model give while a step is traced: each one's `forward` is wrapped to tell of it. The wrapping adds no nodes.
import { nextNodeId } from "../graph/node.ts";
import { currentTrace, type TraceScope } from "../graph/scope.ts";
import type { Module } from "./module.ts";
import { type ModuleCall, tensorsOf, wrapForward } from "./naming.ts";

/** A call, whose path has `#1`, `#2` … after it where it isn't its module's first. */
interface ObservedCall extends ModuleCall {
  /** How many calls began before it. */
  readonly begun: number;
}

/** Records the calls of a model's modules, in the order in which they end. */
export class ModuleObserver {
  #calls: ObservedCall[] = [];
  #begun = 0;
  /** The trace that the calls are of: others, of programs that no callback is told of, are forgotten. */
  #trace: TraceScope | undefined;

  constructor(model: Module) {
    wrapForward(model, (path, module, run) => {
      const [begun, from] = [this.#begun++, nextNodeId()];
      const output = run();
      if (currentTrace())
        this.#record({ path, module, outputs: tensorsOf(output), nodes: [from, nextNodeId()], begun });
      return output;
    });
  }

  #record(call: ObservedCall): void {
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
  take(): ObservedCall[] {
    this.#enter();
    const calls = this.#calls;
    this.#calls = [];
    return calls;
  }
}
