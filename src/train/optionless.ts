// Callbacks and loggers that take no options: what a program gives one anyway is refused, not passed over.
import { checkKeys } from "../core/keys.ts";

/** Base of those that take none. Throws ConfigError for a key that is given. */
export abstract class Optionless {
  constructor(...given: readonly []) {
    const [options = {}] = given as readonly unknown[] as readonly [object?];
    checkKeys(new.target.name, options, []);
  }
}
