// What loggers have in common that write a file of records into the run's folder.
import { append, exists, size } from "#files";
import { configured } from "../../core/configured.ts";
import { options } from "../../core/options.ts";
import { appendRecord, cutBack, type RecordFormat } from "../../io/records.ts";
import { type NumbersFile, readNumbers } from "../../run/logged.ts";
import type { Logger, TrainerView } from "../contract.ts";
import type { Metrics } from "../run.ts";

/** Base of a logger that writes one file of records. On resume they are cut back to the checkpoint's step. Without a folder: nothing. */
export abstract class FileLogger extends configured(options("FileLogger", {})) implements Logger {
  /** Its name in the run's folder. */
  protected abstract get file(): string;
  protected abstract get format(): RecordFormat;
  #path: string | undefined;
  /** Bytes that earlier processes left. */
  #before = 0;

  postSetup({ options: { modelDir } }: TrainerView): void {
    this.#path = modelDir === undefined ? undefined : `${modelDir}/${this.file}`;
    this.#before = this.written === undefined ? 0 : size(this.written);
  }

  onTrainStart({ trainer }: { trainer: TrainerView }): void {
    const path = this.written;
    if (path === undefined) return;
    // A run that begins at step 0 logs anew what it logs before its first step.
    const { records, bytes } = cutBack(path, this.format, trainer.step, trainer.step === 0 ? this.#before : 0);
    if (records === 0) return;
    const what = `${records} damaged record${records === 1 ? "" : "s"} (${bytes} bytes)`;
    trainer.message("warn", `${path}: ${what} dropped; what was logged there of steps up to ${trainer.step} is lost`);
  }

  /** Adds a record, which is made only where there is a folder. */
  protected append(record: () => Uint8Array): void {
    if (this.#path !== undefined) appendRecord(this.#path, this.format, record);
  }

  /** The file's path, where there is one. */
  protected get written(): string | undefined {
    return this.#path !== undefined && exists(this.#path) ? this.#path : undefined;
  }

  /** Waits until all records are on the disk. */
  flush(): void {
    if (this.written !== undefined) append(this.written, new Uint8Array(0), { flush: true, create: false });
  }
}

/** Base of a logger that writes every number, exactly, and can read them back. */
export abstract class NumbersLogger extends FileLogger {
  protected abstract readonly numbers: NumbersFile;

  protected override get file(): string {
    return this.numbers.name;
  }

  protected override get format(): RecordFormat {
    return this.numbers.records;
  }

  logMetrics(metrics: Metrics, step: number): void {
    this.append(() => new TextEncoder().encode(this.numbers.write(metrics, step)));
  }

  *readBack(): Iterable<readonly [step: number, name: string, value: number]> {
    const { said } = this.written === undefined ? { said: [] } : readNumbers(this.written, this.numbers);
    for (const { step, values } of said) for (const [name, value] of values) yield [step, name, value];
  }
}
