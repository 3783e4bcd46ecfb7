// Keys of those who say what they found, in files: a pair, which stays with its owner, and the list of public keys that count, which each user keeps.
import { readText } from "#files";
import { type KeyPair, makeKeys, readSecret, writeSecret } from "#sign";
import { canonicalJson } from "../core/canonical.ts";
import { ConfigError } from "../core/errors.ts";
import { isHash, isRecord, tryJson } from "../run/fields.ts";

const format = "seedgrad/key/1";

/** Makes a pair of keys in a new file that only its owner reads; gives the public one. Throws ConfigError where the file is there already. */
export function newKeys(path: string): string {
  const keys = makeKeys();
  writeSecret(path, `${canonicalJson({ format, ...keys })}\n`);
  return keys.publicKey;
}

/** The keys of a file. Throws ConfigError, which never shows what the file holds, where it holds none or others may read it. */
export function readKeys(path: string): KeyPair {
  const read = tryJson(readSecret(path));
  const isKeys = isRecord(read) && read.format === format && isHash(read.publicKey) && isHash(read.privateKey);
  if (isKeys) return { publicKey: String(read.publicKey), privateKey: String(read.privateKey) };
  throw new ConfigError({
    where: path,
    problem: "not a file of keys",
    expected: "what `seedgrad keys new FILE` makes",
  });
}

/** The public keys that count, each with its owner's name: a line a key, 64 hex digits and a name; # begins a comment. Throws ConfigError naming the line, which doesn't show it: the file may be one of private keys. */
export function readTrusted(path: string): Map<string, string> {
  const trusted = new Map<string, string>();
  for (const [i, line] of readText(path, ConfigError).split("\n").entries()) {
    const text = line.replace(/#.*$/, "").trim();
    if (text === "") continue;
    const [key, ...name] = text.split(/\s+/);
    if (!isHash(key) || trusted.has(key)) {
      throw new ConfigError({
        where: `${path}:${i + 1}`,
        problem: trusted.has(key) ? "a key that stands there twice" : "not a public key",
        expected: "64 hex digits, and a name",
        hint: "`seedgrad keys new FILE` shows the public key of the pair that it makes; the file itself stays with its owner",
      });
    }
    trusted.set(key, name.join(" ") || key.slice(0, 16));
  }
  return trusted;
}
