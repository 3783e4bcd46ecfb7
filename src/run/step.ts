// The step of a loop of one's own that is being made: the compiled functions that it called, the batch that it was given, and the numbers that it recorded.
import { Encoder, fromHex, sha256, toHex } from "../core/canonical.ts";
import { ConfigError } from "../core/errors.ts";
import type { LoadedBatch } from "../data/loader.ts";
import type { Execution } from "../program/compiled.ts";
import type { Tensor } from "../tensor/tensor.ts";

/** What a step came to. */
export interface Made {
  /** Of the graph that ran, or of all of them in their order. */
  readonly graphHash: string;
  /** What its link holds beside that: numbers that the host gave its graphs, and those that it recorded beside the loss. */
  readonly given: Readonly<Record<string, number>>;
  readonly batch: Partial<LoadedBatch> & Pick<LoadedBatch, "tensors">;
  /** As they were recorded, the loss among them. */
  readonly numbers: Readonly<Record<string, number>>;
}

/** A step that is being made. */
export class OpenStep {
  readonly #batch: LoadedBatch | undefined;
  readonly #executed: Promise<Pick<Execution<unknown>, "graphHash" | "scalars">>[] = [];
  #numbers: Readonly<Record<string, number>> | undefined;

  constructor(batch?: LoadedBatch) {
    this.#batch = batch;
  }

  /** Whether it has its numbers. */
  get isRecorded(): boolean {
    return this.#numbers !== undefined;
  }

  /** Takes down a call of a compiled function, in the order of the program. */
  called(execution: Promise<Execution<unknown>>): void {
    this.#executed.push(execution);
  }

  /** Takes down numbers; a tensor of one element is read. Throws ConfigError where there is no loss among them. */
  async record(numbers: Readonly<Record<string, number | Tensor>>): Promise<void> {
    const read: Record<string, number> = {};
    for (const [name, value] of Object.entries(numbers))
      read[name] = typeof value === "number" ? value : await value.item();
    if (!("loss" in read)) {
      throw new ConfigError({
        where: "run.record",
        problem: "a step's numbers need a loss",
        got: Object.keys(read).join(", ") || "none",
        expected: "loss, and others beside it",
      });
    }
    this.#numbers = { ...this.#numbers, ...read };
  }

  /** What it came to, as step number `step`. Throws ConfigError where it recorded nothing. */
  async end(step: number): Promise<Made> {
    if (!this.#numbers) {
      throw new ConfigError({
        where: `step ${step}`,
        problem: "it ended and recorded nothing",
        expected: "await run.record({ loss }) in the loop's body",
      });
    }
    const numbers = this.#numbers;
    const executed = await Promise.all(this.#executed);
    const hashes = executed.map(({ graphHash }) => graphHash);
    const given = executed.flatMap(({ scalars }, i) =>
      Object.entries(scalars).map(([name, value]) => [i === 0 ? name : `${i}/${name}`, value] as const),
    );
    const { loss: _, ...others } = numbers;
    const named = Object.entries(others).map(([name, value]) => [`record/${name}`, value] as const);
    const { indices, tensors = {} } = this.#batch ?? {};
    return {
      graphHash: hashes.length === 1 ? hashes[0] : hashesHash(hashes),
      given: Object.fromEntries([...given, ...named]),
      batch: { indices, tensors },
      numbers,
    };
  }
}

/** Of the graphs that ran in a step, in the order in which they were called. */
function hashesHash(hashes: readonly string[]): string {
  const encoder = new Encoder().string("seedgrad/graphs/1").u32(hashes.length);
  for (const hash of hashes) encoder.bytes(fromHex(hash));
  return toHex(sha256(encoder.finish()));
}
