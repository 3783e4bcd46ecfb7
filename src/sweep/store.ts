// Where runs go that are made on other machines: bytes by key, in a shared folder or with a service that speaks S3. Both put a key all at once, so that a
// reader finds what was there before or what is there now.
import { ConfigError } from "../core/errors.ts";

/** Keys are names joined by `/`. */
export interface Store {
  /** What it is called in messages: never with a password. */
  readonly where: string;
  /** Undefined where there is nothing under the key. */
  get(key: string): Promise<Uint8Array | undefined>;
  put(key: string, bytes: Uint8Array): Promise<void>;
  /** The keys that begin with `prefix`, which ends with `/`, in order. */
  list(prefix: string): Promise<string[]>;
  /** What isn't there is fine. */
  remove(key: string): Promise<void>;
}

/** What of the environment says who one is. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Throws ConfigError, without the password in it, for an address that holds one: others see a command line, and logs keep it. */
export function refusePassword(where: string, address: string): void {
  if (!/^[a-z0-9+]+:\/\/[^/]*@/i.test(address)) return;
  throw new ConfigError({
    where,
    problem: "a user or password stands in the address, where process lists and logs show it",
    got: address.replace(/\/\/.*@/s, "//…@"),
    hint: "leave it out; REDIS_USERNAME and REDIS_PASSWORD, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, in the environment",
  });
}
