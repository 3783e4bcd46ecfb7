// Things that a config may name: functions and classes with a record of their options, from which their calls are checked and their defaults come.
import { ConfigError, type ErrorDetails } from "./errors.ts";
import { type Fields, type Given, OptionRecord, type Read } from "./options.ts";

/** A function or class that a config may name, with the record of its options. */
export interface Thing {
  readonly options: OptionRecord;
  /** How it is made from a config's options, where that isn't a call with them. `written`: the options as configured, with names for what they choose. */
  readonly fromConfig?: (options: never, written: never) => unknown;
}

/** A record of options as the last argument of a call: none where there are no options, and one that may be left out where each of them may. */
export type OptionsArguments<R extends OptionRecord> = keyof R["fields"] extends never
  ? []
  : Partial<Given<R>> extends Given<R>
    ? [options?: Given<R>]
    : [options: Given<R>];

/** A function as what a config may name. `fromConfig`: how it is made from a config's options, where that isn't a call with them. */
// @__NO_SIDE_EFFECTS__
export function named<F extends (...args: never[]) => unknown, S extends Fields>(
  record: OptionRecord<S>,
  make: F,
  fromConfig?: (options: Read<OptionRecord<S>>, written: never) => unknown,
): F {
  return Object.assign(make, { options: record, ...(fromConfig && { fromConfig }) });
}

/** A class's maker: a function of what its constructor takes, which checks its arguments. */
// @__NO_SIDE_EFFECTS__
export const maker = <S extends Fields, A extends readonly unknown[], T>(
  record: OptionRecord<S>,
  Class: new (...given: A) => T,
): ((...given: A) => T) => named(record, (...given: A): T => new Class(...given));

/** A function of a record of options alone: `make` has them checked, with their defaults. Its calls throw ConfigError. */
// @__NO_SIDE_EFFECTS__
export const factory = <S extends Fields, T>(
  record: OptionRecord<S>,
  make: (options: Read<OptionRecord<S>>) => T,
): ((...given: OptionsArguments<OptionRecord<S>>) => T) =>
  named(record, (...given: OptionsArguments<OptionRecord<S>>): T => make(record.read(given[0], given)));

/** What a folder's index has for configs to name, by its exports' names, whatever order a bundler gives them. */
export function thingsOf(index: object): (Thing & ((...args: never[]) => unknown))[] {
  return Object.entries(index)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([, value]) => ((value as Partial<Thing> | null)?.options instanceof OptionRecord ? [value] : []));
}

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
