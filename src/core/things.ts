// Things that a config may name: functions and classes with a record of their options, from which their calls are checked and their defaults come.
import type { Fields, Given, OptionRecord, Read } from "./options.ts";

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
