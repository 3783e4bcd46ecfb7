// What a Trainer is busy with. A fit, a validation of a checkpoint and a prediction each move the Trainer's weights or its place in the run, so
// they take turns; inside a fit only what leaves both as they are may be called, in a hook, and must be awaited there.
import { refuse, TrainingError } from "../core/errors.ts";

/** What to call in place of a method that can't be called during a fit. */
const instead: Readonly<Record<string, string>> = {
  validate: "await trainer.evaluate(loader) in the hook: it validates with the weights as they are",
  test: "await trainer.evaluate(loader) in the hook: it validates with the weights as they are",
  validateAll: "await trainer.evaluate(loader) in the hook: it validates with the weights as they are",
  predict: "predict after the fit; await trainer.evaluate(loader) in a hook measures the weights as they are",
  loadCheckpoint: "fit(train, validation, { ckptPath }) begins from a checkpoint",
};

/** What may be called in a hook of a fit. */
type Allowed = "evaluate" | "saveCheckpoint";

/** Lets one method of a Trainer run at a time, and knows what was begun in a hook and hasn't ended. */
export class Occupancy {
  #doing: string | undefined;
  readonly #running = { evaluate: 0, saveCheckpoint: 0 };

  /** Runs `body` while nothing else of the Trainer runs. Throws TrainingError, naming what to call instead, while something does. */
  async alone<T>(method: string, body: () => Promise<T>): Promise<T> {
    const doing = this.#doing ?? (this.#running.evaluate > 0 ? "evaluate" : undefined);
    if (doing !== undefined) {
      const problem = "it would move the weights or the place in the run that another call is working with";
      const hint = (doing === "fit" && instead[method]) || `await trainer.${doing} first`;
      refuse(TrainingError, `trainer.${method}`, problem, `${doing} in progress`, undefined, hint);
    }
    this.#doing = method;
    try {
      return await body();
    } finally {
      this.#doing = undefined;
    }
  }

  /** Counts an evaluation or a save while it runs. Throws TrainingError during another call, unless a hook of it asks (`inHook`), and for a save while weights may be exchanged for a validation. */
  async within<T>(method: Allowed, inHook: boolean, body: () => Promise<T>): Promise<T> {
    if (!inHook && this.#doing !== undefined) {
      const problem = "called from outside a hook, while another call is working with the weights";
      const hint = `call it in a hook (onTrainBatchEnd), and await it there; or await trainer.${this.#doing} first`;
      refuse(TrainingError, `trainer.${method}`, problem, `${this.#doing} in progress`, undefined, hint);
    }
    if (method === "saveCheckpoint") this.refuseEvaluating(method);
    this.#running[method]++;
    try {
      return await body();
    } finally {
      this.#running[method]--;
    }
  }

  /** Throws TrainingError while an evaluation runs. */
  refuseEvaluating(where: string): void {
    if (this.#running.evaluate === 0) return;
    const hint = "await trainer.evaluate(…) where it is called, and save in onTrainBatchEnd";
    refuse(TrainingError, where, "an evaluation is in progress", `${this.#running.evaluate}`, "none", hint);
  }

  /** Throws TrainingError where a hook began an evaluation or a save and didn't await it: the next step would change what it reads. */
  refuseUnawaited(where: string): void {
    const method = (["evaluate", "saveCheckpoint"] as const).find((each) => this.#running[each] > 0);
    if (!method) return;
    const problem = `a hook began trainer.${method} and ended before it did`;
    refuse(TrainingError, where, problem, undefined, "it awaited in the hook", `await trainer.${method}(…)`);
  }
}
