// Ed25519 where there is node:crypto (Node, Bun, Deno), behind the condition `#sign`; and files that only their owner reads.
import * as crypto from "node:crypto";
import * as fs from "node:fs";
import { fromHex, toHex } from "../core/canonical.ts";
import { ConfigError } from "../core/errors.ts";

/** A pair of keys, 64 hex digits each. */
export interface KeyPair {
  readonly publicKey: string;
  readonly privateKey: string;
}

const base64 = (hex: string) => Buffer.from(fromHex(hex)).toString("base64url");
const hexOf = (text: string | undefined) => toHex(Buffer.from(text ?? "", "base64url"));
const jwk = (x: string, d?: string) => ({
  key: { kty: "OKP", crv: "Ed25519", x: base64(x), ...(d !== undefined && { d: base64(d) }) },
  format: "jwk" as const,
});

/** A new pair, from the operating system's randomness. */
export function makeKeys(): KeyPair {
  const { x, d } = crypto.generateKeyPairSync("ed25519").privateKey.export({ format: "jwk" });
  return { publicKey: hexOf(x), privateKey: hexOf(d) };
}

/** A message's signature, 128 hex digits. */
export function sign(message: Uint8Array, { publicKey, privateKey }: KeyPair): string {
  return toHex(crypto.sign(null, message, crypto.createPrivateKey(jwk(publicKey, privateKey))));
}

/** Whether a signature is of this message, by the owner of this key. */
export function isSigned(message: Uint8Array, signature: string, publicKey: string): boolean {
  try {
    return crypto.verify(null, message, crypto.createPublicKey(jwk(publicKey)), fromHex(signature));
  } catch {
    return false;
  }
}

/** Makes a file that only its owner reads. Throws ConfigError where the name is taken. */
export function writeSecret(path: string, text: string): void {
  try {
    fs.writeFileSync(path, text, { mode: 0o600, flag: "wx" });
  } catch (cause) {
    const { code = String(cause) } = cause as NodeJS.ErrnoException;
    const hint = code === "EEXIST" ? "a key is never written over: give another name" : undefined;
    throw new ConfigError({ where: path, problem: "the file can't be made", got: code, hint, cause });
  }
}

/** The text of a file that only its owner reads. Throws ConfigError where it isn't there, or others may read it. */
export function readSecret(path: string): string {
  let text: string;
  let mode = 0;
  try {
    text = fs.readFileSync(path, "utf8");
    mode = process.platform === "win32" ? 0 : fs.statSync(path).mode & 0o077;
  } catch (cause) {
    const { code = String(cause) } = cause as NodeJS.ErrnoException;
    throw new ConfigError({ where: path, problem: "the key can't be read", got: code, cause });
  }
  if (mode === 0) return text;
  throw new ConfigError({
    where: path,
    problem: "a private key that others may read",
    got: `mode ${mode.toString(8).padStart(3, "0")} for group and others`,
    expected: "none",
    hint: `chmod 600 ${path}; if somebody may have read it, make a new key`,
  });
}
