// What loggers have in common that write a file of records into the run's folder.
import { options } from "../../core/options.ts";
import { configured } from "../../core/things.ts";
import type { Logger, TrainerView } from "../contract.ts";
import { damageMessage, RecordFile, type RecordFormat } from "./records.ts";

/** Base of a logger that writes one file of records. On resume they are cut back to the checkpoint's step. Without a folder: nothing. */
export abstract class FileLogger extends configured(options("FileLogger", {})) implements Logger {
  /** Its name in the run's folder. */
  protected abstract readonly file: string;
  protected abstract readonly format: RecordFormat;
  #records: RecordFile | undefined;

  postSetup({ options }: TrainerView): void {
    if (options.modelDir !== undefined) this.#records = new RecordFile(`${options.modelDir}/${this.file}`, this.format);
  }

  onTrainStart({ trainer }: { trainer: TrainerView }): void {
    const damage = this.#records?.cutBack(trainer.step);
    if (damage) trainer.message("warn", damageMessage(this.#records!, trainer.step, damage));
  }

  /** Adds a record, which is made only where there is a folder. */
  protected append(record: () => Uint8Array): void {
    this.#records?.append(record);
  }

  /** Its lines, of a file of text; none where there is no file. */
  protected lines(): readonly string[] {
    return this.#records?.lines() ?? [];
  }

  flush(): void {
    this.#records?.flush();
  }
}
