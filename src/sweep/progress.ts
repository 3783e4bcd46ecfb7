// How a run stands, as its folder tells of it: read while another process writes there.
import { exists, readRange, size } from "#files";
import { float32FromBits } from "../core/canonical.ts";
import { SeedgradError } from "../core/errors.ts";
import { lastLink } from "../run/chainfile.ts";
import { isNumber, isRecord, tryJson } from "../run/fields.ts";
import { mayBeHeld } from "../run/lock.ts";
import { type Manifest, readManifest } from "../run/manifest.ts";
import { now } from "../runtime/clock.ts";

/** What a folder tells of its run. */
export interface Progress {
  /** Optimizer steps taken, as far as they are written down. */
  readonly step: number;
  /** By the loop's limits. */
  readonly totalSteps?: number;
  /** Numbers by the names that they are logged by, each of the last time that it was. */
  readonly numbers: Readonly<Record<string, number>>;
  /** Of a finished run. */
  readonly result?: Manifest["result"];
}

/** Seconds to a run's end, as fast as it has gone since a step of it was seen; undefined where nothing is known. */
export function secondsLeft(
  { step, totalSteps }: Progress,
  since: { readonly step: number; readonly at: number } | undefined,
): number | undefined {
  if (!since || totalSteps === undefined || step <= since.step) return undefined;
  return ((now() - since.at) / (step - since.step)) * Math.max(0, totalSteps - step);
}

/** A run, looked at again and again. */
export interface Watch {
  /** The folder that is worked on, or would be next. */
  readonly folder: string;
  /** Whether a process may be working on it. */
  readonly held: boolean;
  /** How it stands now. */
  look(): Progress;
}

/** The folders of a run's phases: it stands where the first that isn't finished does. */
export class PhasesWatch implements Watch {
  readonly #phases: readonly RunWatch[];

  constructor(phases: readonly RunWatch[]) {
    this.#phases = phases;
  }

  get folder(): string {
    return (this.#phases.find((phase) => phase.look().result === undefined) ?? this.#phases.at(-1)!).folder;
  }

  get held(): boolean {
    return this.#phases.some((phase) => phase.held);
  }

  look(): Progress {
    const all = this.#phases.map((phase) => phase.look());
    const at = all.findIndex(({ result }) => result === undefined);
    const { numbers, result } = all.at(at)!;
    const sum = (counts: readonly (number | undefined)[]) =>
      counts.reduce<number | undefined>(
        (total, count) => (total === undefined || count === undefined ? undefined : total + count),
        0,
      );
    const begun = all.slice(0, at < 0 ? undefined : at + 1);
    const totalSteps = sum(all.map((phase) => phase.result?.steps ?? phase.totalSteps));
    return { step: sum(begun.map(({ step }) => step))!, totalSteps, numbers, result: at < 0 ? result : undefined };
  }
}

/** A run's folder, looked at again and again. */
export class RunWatch implements Watch {
  readonly folder: string;
  /** How much of the log was read, and the beginning of a line that was being written. */
  #read = { length: 0, rest: "" };
  #numbers: Record<string, number> = {};
  #loggedStep = 0;

  constructor(folder: string) {
    this.folder = folder;
  }

  /** Whether a process may be working on it. */
  get held(): boolean {
    return mayBeHeld(this.folder);
  }

  /** How it stands now. */
  look(): Progress {
    const { totalSteps, result } = this.#manifest();
    this.#readLog();
    const numbers = { ...this.#numbers };
    const link = this.#lastLink();
    const isFurther = link !== undefined && link.step > this.#loggedStep;
    if (isFurther) numbers.loss = float32FromBits(link.lossBits);
    if (result) {
      numbers.loss = result.loss;
      for (const [name, value] of Object.entries(result.metrics)) numbers[`val_${name}`] = value;
    }
    return { step: result?.steps ?? (isFurther ? link.step : this.#loggedStep), totalSteps, numbers, result };
  }

  /** Of one that can't be read the run itself tells when it is begun. */
  #manifest(): Pick<Progress, "totalSteps" | "result"> {
    const path = `${this.folder}/manifest.json`;
    if (!exists(path)) return {};
    try {
      const { status, totalSteps, result } = readManifest(path);
      return { totalSteps, result: status === "finished" ? result : undefined };
    } catch (error) {
      if (!(error instanceof SeedgradError)) throw error;
      return {};
    }
  }

  /** The lines that were added to metrics.jsonl; all of them where it was cut back. */
  #readLog(): void {
    const path = `${this.folder}/metrics.jsonl`;
    if (!exists(path)) return;
    const length = size(path);
    if (length < this.#read.length) {
      this.#read = { length: 0, rest: "" };
      this.#numbers = {};
      this.#loggedStep = 0;
    }
    const added = readRange(path, this.#read.length, length - this.#read.length);
    const lines = (this.#read.rest + new TextDecoder().decode(added)).split("\n");
    this.#read = { length: this.#read.length + added.length, rest: lines.pop()! };
    for (const line of lines) {
      const found = tryJson(line);
      if (!isRecord(found)) continue;
      const { step, ...numbers } = found;
      if (typeof step === "number") this.#loggedStep = step;
      for (const [name, value] of Object.entries(numbers)) if (isNumber(value)) this.#numbers[name] = Number(value);
    }
  }

  /** The chain is written every few dozen steps, the log every few, where there is one: whichever is further counts. Of a damaged one the run itself tells when it goes on. */
  #lastLink(): ReturnType<typeof lastLink> {
    const path = `${this.folder}/chain.bin`;
    if (!exists(path)) return undefined;
    try {
      return lastLink(path);
    } catch (error) {
      if (!(error instanceof SeedgradError)) throw error;
      return undefined;
    }
  }
}
