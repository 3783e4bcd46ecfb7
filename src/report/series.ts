// What was logged, by name, as the report keeps and draws it. A series that grows long is thinned by halves: it says how a number went, not
// every value of it; the other loggers have those.

/** Points of one logged number, steps ascending. */
export interface Series {
  readonly name: string;
  readonly steps: readonly number[];
  /** NaN and infinities too. */
  readonly values: readonly number[];
}

/** At most so many points are kept of a number. */
const capacity = 4096;

interface Points {
  steps: number[];
  values: number[];
  /** Only steps that are multiples of it are kept. */
  stride: number;
}

/** All series of a run. */
export class SeriesStore {
  readonly #points = new Map<string, Points>();

  /** Adds a point, to seven digits; one for a step that is there already replaces it. */
  add(name: string, step: number, given: number): void {
    const value = Number(given.toPrecision(7));
    let points = this.#points.get(name);
    if (!points) {
      points = { steps: [], values: [], stride: 1 };
      this.#points.set(name, points);
    }
    if (step % points.stride !== 0) return;
    if (points.steps[points.steps.length - 1] === step) {
      points.values[points.values.length - 1] = value;
      return;
    }
    points.steps.push(step);
    points.values.push(value);
    while (points.steps.length > capacity) thin(points);
  }

  /** Forgets what is after a step: a run that goes on from there logs it anew. */
  cutBack(step: number): void {
    for (const [name, { steps, values }] of this.#points) {
      while (steps.length > 0 && steps[steps.length - 1] > step) {
        steps.pop();
        values.pop();
      }
      if (steps.length === 0) this.#points.delete(name);
    }
  }

  /** In the order in which they were first logged. */
  list(): Series[] {
    return [...this.#points].map(([name, { steps, values }]) => ({ name, steps, values }));
  }

  /** As JSON that fits into a page; numbers that JSON lacks as text. */
  serialize(): string {
    const plain = [...this.#points].map(([name, { steps, values, stride }]) => [
      name,
      { steps, values: values.map((value) => (Number.isFinite(value) ? value : String(value))), stride },
    ]);
    return JSON.stringify({ format: 1, series: Object.fromEntries(plain) }).replaceAll("<", "\\u003c");
  }

  /** What `serialize` gave. Throws TypeError or SyntaxError for text that isn't that. */
  static parse(text: string): SeriesStore {
    const store = new SeriesStore();
    const { format, series } = JSON.parse(text) as {
      format: unknown;
      series: Record<string, { steps: unknown[]; values: unknown[]; stride: unknown }>;
    };
    if (format !== 1) throw new TypeError(`format ${format}`);
    for (const [name, { steps, values, stride }] of Object.entries(series)) {
      if (steps.length !== values.length || !(Number(stride) >= 1)) throw new TypeError(name);
      store.#points.set(name, { steps: steps.map(Number), values: values.map(Number), stride: Number(stride) });
    }
    return store;
  }
}

function thin(points: Points): void {
  points.stride *= 2;
  const kept = points.steps.map((step) => step % points.stride === 0);
  points.steps = points.steps.filter((_, i) => kept[i]);
  points.values = points.values.filter((_, i) => kept[i]);
}

/** Series that are drawn together, under one title. */
export interface ChartGroup {
  readonly title: string;
  readonly series: readonly Series[];
}

const first = ["loss", "accuracy"];
const last = ["learning rate", "norm", "optimizer", "rate", "duration"];

/** Which chart a number belongs to: `loss` and `val_loss` together, each norm with its own kind. */
function titleOf(name: string): string {
  const base = name.replace(/^(val|train)_/, "").replace(/_(average|epoch)$/, "");
  const [head, second, ...rest] = base.split("/");
  if (base === "gradient_norm") return "norm: gradient";
  if (head === "learning_rate") return "learning rate";
  if (second === undefined) return base.replaceAll("_", " ");
  if (head === "duration") return second === "left" ? "duration: time left" : "duration: seconds spent";
  if (head === "optimizer" && rest.length > 0) return `optimizer: ${rest.join("/").replaceAll("_", " ")}`;
  return `${head}: ${second.replaceAll("_", " ")}`;
}

/** The charts of a report: the loss first, then what was validated, then the rest by name. */
export function groupSeries(all: readonly Series[]): ChartGroup[] {
  const groups = new Map<string, Series[]>();
  for (const series of all) {
    const title = titleOf(series.name);
    groups.set(title, [...(groups.get(title) ?? []), series]);
  }
  const rank = (title: string) => {
    if (first.includes(title)) return first.indexOf(title) - 10;
    return last.findIndex((prefix) => title.startsWith(prefix)) + 1;
  };
  return [...groups].map(([title, series]) => ({ title, series })).sort((a, b) => rank(a.title) - rank(b.title));
}
