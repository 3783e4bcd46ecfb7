// Callbacks and loggers that take no options: what a program gives one anyway is refused, not passed over.
import { checkArguments, options, signature } from "../core/arguments.ts";

/** Base of those that take none; a config gives an empty record. Throws ConfigError for a key or an argument that is given. */
export abstract class Optionless {
  constructor(..._given: readonly []) {
    checkArguments(signature(new.target.name, { "options?": options({}) }), arguments);
  }
}
