// Classes that a config may name: their constructors take a record of options. Callbacks and loggers are such.
import { ConfigError, type ErrorDetails } from "./errors.ts";
import type { Fields, OptionRecord, Read } from "./options.ts";
import type { OptionsArguments } from "./things.ts";

/** A class whose constructor takes a record of options. */
export interface Configured<S extends Fields> {
  readonly options: OptionRecord;
  new (
    ...given: OptionsArguments<OptionRecord<S>>
  ): {
    /** What errors call it, and checkpoints its state. */
    readonly name: string;
    /** What it was made with, and the defaults of the rest. */
    readonly options: Read<OptionRecord<S>>;
  };
  fromConfig(options: object): unknown;
}

/** Base of a class that a config may name: its constructor takes the record's options alone, checks them and fills in defaults. `fault`: what is wrong with options that are right each by itself. Throws ConfigError. */
export function configured<S extends Fields>(
  record: OptionRecord<S>,
  fault: (options: Read<OptionRecord<S>>) => Omit<ErrorDetails, "where"> | undefined = () => undefined,
): Configured<S> {
  return class {
    static readonly options: OptionRecord = record as never;
    readonly name: string;
    readonly options: unknown;

    constructor(...given: readonly unknown[]) {
      const { options } = new.target;
      this.name = options.name;
      this.options = options.read(given[0] as never, given);
      const found = fault(this.options as Read<OptionRecord<S>>);
      if (found) throw new ConfigError({ where: this.name, ...found });
    }

    static fromConfig(options: object): unknown {
      return new this(options);
    }
  } as unknown as Configured<S>;
}
