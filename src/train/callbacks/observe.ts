// What the modules of a model give while a step is traced: each one's `forward` is wrapped to tell of it. The wrapping adds no nodes.
import { currentTrace, type TraceScope } from "../../graph/scope.ts";
import type { ModelOutput, Module } from "../../nn/module.ts";
import { namedModules } from "../../nn/naming.ts";
import { Tensor } from "../../tensor/tensor.ts";

/** One call of a module in a trace. */
export interface ModuleCall {
  /** Its path in the model; the model itself is `model`. A later call of the same one has `#1`, `#2` … after it. */
  readonly path: string;
  readonly module: Module;
  readonly outputs: readonly Tensor[];
}

const tensorsOf = (output: ModelOutput): Tensor[] =>
  output instanceof Tensor ? [output] : (Object.values(output) as unknown[]).filter((part) => part instanceof Tensor);

/** Records the calls of a model's modules, in the order in which they end. */
export class ModuleObserver {
  #calls: ModuleCall[] = [];
  /** The trace that the calls are of: others, of programs that no callback is told of, are forgotten. */
  #trace: TraceScope | undefined;

  constructor(model: Module) {
    for (const [path, module] of namedModules(model)) {
      const forward = module.forward.bind(module);
      Object.defineProperty(module, "forward", {
        configurable: true,
        writable: true,
        enumerable: false,
        value: (...args: Parameters<Module["forward"]>) => {
          const output = forward(...args);
          if (currentTrace()) this.#record(path, module, tensorsOf(output));
          return output;
        },
      });
    }
  }

  #record(path: string, module: Module, outputs: readonly Tensor[]): void {
    this.#enter();
    const before = this.#calls.filter((call) => call.module === module).length;
    this.#calls.push({ path: before === 0 ? path : `${path}#${before}`, module, outputs });
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
