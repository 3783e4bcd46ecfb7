// Signatures where there is no node:crypto (a browser): typed errors.
import { ConfigError } from "../core/errors.ts";
import type { KeyPair } from "./sign.node.ts";

export type { KeyPair };

function refuse(): never {
  throw new ConfigError({ where: "keys", problem: "nothing is signed here", expected: "Node, Bun or Deno" });
}

/** Throws. */
export const makeKeys = (): KeyPair => refuse();
/** Throws. */
export const sign = (_message: Uint8Array, _keys: KeyPair): string => refuse();
/** Throws. */
export const isSigned = (_message: Uint8Array, _signature: string, _publicKey: string): boolean => refuse();
/** Throws. */
export const writeSecret = (_path: string, _text: string): void => refuse();
/** Throws. */
export const readSecret = (_path: string): string => refuse();
