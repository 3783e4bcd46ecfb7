// Every number that was logged, by name and step, as `fit` gives it.

/** Every number that was logged, by name: the steps that it was logged of, ascending, and its values, as the loggers were told them. Of several under one step the last. */
export type History = Readonly<
  Record<string, { readonly steps: readonly number[]; readonly values: readonly number[] }>
>;

interface Series {
  readonly steps: number[];
  readonly values: number[];
}

/** What one Trainer was told to log. */
export class LoggedNumbers {
  readonly #series = new Map<string, Series>();

  /** Adds numbers under a step, in its place among the others; what is there of it already is replaced. */
  add(step: number, metrics: Readonly<Record<string, number>>): void {
    for (const [name, value] of Object.entries(metrics)) {
      const series = this.#series.get(name) ?? { steps: [], values: [] };
      this.#series.set(name, series);
      const { steps, values } = series;
      let at = steps.length;
      while (at > 0 && steps[at - 1] >= step) at--;
      const known = steps[at] === step ? 1 : 0;
      steps.splice(at, known, step);
      values.splice(at, known, value);
    }
  }

  /** Forgets what is after a step: a run that goes on from there logs it anew. */
  cutBack(step: number): void {
    for (const [name, { steps, values }] of this.#series) {
      const after = steps.findIndex((each) => each > step);
      if (after >= 0) for (const list of [steps, values]) list.splice(after);
      if (steps.length === 0) this.#series.delete(name);
    }
  }

  /** All of them as they are now. */
  all(): History {
    const entries = [...this.#series].map(
      ([name, { steps, values }]) => [name, { steps: [...steps], values: [...values] }] as const,
    );
    return Object.fromEntries(entries);
  }
}
