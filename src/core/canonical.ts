// The canonical byte encoding under every hash, SHA-256, and canonical JSON. Equal meaning gives equal bytes on every machine:
// little-endian, no host order, sorted keys, one NaN.
import { sha256, sha256Parts } from "#hash";
import type { TypedArray } from "./dtype.ts";
import { compareUtf8 } from "./utf8.ts";

/** What an attribute or a config value may be. */
export type Canonical =
  | string
  | number
  | bigint
  | boolean
  | null
  | Uint8Array
  | readonly Canonical[]
  | { readonly [key: string]: Canonical | undefined };

const utf8 = new TextEncoder();

/** Appends the primitives of the encoding (NUMERICS: strings as u32 length + UTF-8, integers i64, floats as float32 bits). */
export class Encoder {
  #bytes = new Uint8Array(256);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;

  #grow(count: number): number {
    const at = this.#length;
    this.#length += count;
    if (this.#length > this.#bytes.length) {
      const bytes = new Uint8Array(Math.max(this.#length, this.#bytes.length * 2));
      bytes.set(this.#bytes);
      this.#bytes = bytes;
      this.#view = new DataView(bytes.buffer);
    }
    return at;
  }

  u8(value: number): this {
    const at = this.#grow(1);
    this.#view.setUint8(at, value);
    return this;
  }

  u32(value: number): this {
    const at = this.#grow(4);
    this.#view.setUint32(at, value, true);
    return this;
  }

  i64(value: number | bigint): this {
    // Most are small counts: these two words are the same bytes.
    if (typeof value === "number" && value >= 0 && value <= 0xffffffff && Number.isInteger(value)) {
      return this.u32(value).u32(0);
    }
    const at = this.#grow(8);
    this.#view.setBigInt64(at, BigInt(value), true);
    return this;
  }

  u64(value: number | bigint): this {
    const at = this.#grow(8);
    this.#view.setBigUint64(at, BigInt(value), true);
    return this;
  }

  float32(value: number): this {
    return this.u32(float32Bits(value));
  }

  bytes(value: Uint8Array): this {
    const at = this.#grow(value.length);
    this.#bytes.set(value, at);
    return this;
  }

  string(value: string): this {
    this.u32(value.length);
    const at = this.#grow(value.length);
    for (let i = 0; i < value.length; i++) {
      const unit = value.charCodeAt(i);
      if (unit > 0x7f) {
        this.#length = at - 4;
        const encoded = utf8.encode(value);
        return this.u32(encoded.length).bytes(encoded);
      }
      this.#bytes[at + i] = unit;
    }
    return this;
  }

  /** A tagged value of any attribute type; object keys sorted by their UTF-8 bytes, undefined values left out. Numbers that are safe integers are i64, others float32. */
  value(value: Canonical): this {
    if (value === null) return this.u8(0);
    if (typeof value === "boolean") return this.u8(value ? 2 : 1);
    if (typeof value === "bigint") return this.u8(3).i64(value);
    if (typeof value === "number") {
      return Number.isSafeInteger(value) && !Object.is(value, -0) ? this.u8(3).i64(value) : this.u8(4).float32(value);
    }
    if (typeof value === "string") return this.u8(5).string(value);
    if (value instanceof Uint8Array) return this.u8(6).u32(value.length).bytes(value);
    if (Array.isArray(value)) {
      this.u8(7).u32(value.length);
      for (const item of value) this.value(item);
      return this;
    }
    const entries = sortedEntries(value as { [key: string]: Canonical | undefined });
    this.u8(8).u32(entries.length);
    for (const [key, item] of entries) this.string(key).value(item);
    return this;
  }

  /** The bytes so far. */
  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }
}

function sortedEntries<T>(record: { readonly [key: string]: T | undefined }): [string, T][] {
  return (Object.entries(record).filter(([, value]) => value !== undefined) as [string, T][]).sort(([a], [b]) =>
    compareUtf8(a, b),
  );
}

const canonicalNaN = 0x7fc00000;
const scratch = new DataView(new ArrayBuffer(4));

/** The bits of a number rounded to float32; every NaN is 0x7fc00000. */
export function float32Bits(value: number): number {
  if (Number.isNaN(value)) return canonicalNaN;
  scratch.setFloat32(0, value);
  return scratch.getUint32(0);
}

export function float32FromBits(bits: number): number {
  scratch.setUint32(0, bits);
  return scratch.getFloat32(0);
}

const hostIsLittleEndian = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

/** A tensor's elements as canonical bytes: little-endian, NaN as 0x7fc00000. */
export function canonicalBytes(data: TypedArray): Uint8Array {
  if (data instanceof Uint8Array) return data.slice();
  const words = new Uint32Array(data.length);
  words.set(new Uint32Array(data.buffer, data.byteOffset, data.length));
  if (data instanceof Float32Array) {
    for (let i = 0; i < data.length; i++) if (data[i] !== data[i]) words[i] = canonicalNaN;
  }
  if (!hostIsLittleEndian) {
    const view = new DataView(words.buffer);
    for (let i = 0; i < words.length; i++) view.setUint32(4 * i, words[i], true);
  }
  return new Uint8Array(words.buffer);
}

export { sha256, sha256Parts };

/** SHA-256 of some bytes, 64 hex digits. */
export function sha256Hex(bytes: Uint8Array): string {
  return toHex(sha256(bytes));
}

export function toHex(bytes: Uint8Array): string {
  let hex = "";
  for (const byte of bytes) hex += byte.toString(16).padStart(2, "0");
  return hex;
}

/** Bytes of an even-length lower-case hex string. Throws RangeError on anything else. */
export function fromHex(hex: string): Uint8Array {
  if (!/^([0-9a-f]{2})*$/.test(hex)) throw new RangeError("not lower-case hex");
  return Uint8Array.from({ length: hex.length / 2 }, (_, i) => Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16));
}

/** RFC 8785 JSON: keys sorted by UTF-16 units, ECMAScript numbers, no white space. bigint is written as a decimal string; undefined members are left out. */
export function canonicalJson(value: unknown): string {
  if (typeof value === "bigint") return JSON.stringify(value.toString());
  if (value === null || typeof value !== "object") {
    if (typeof value === "number" && !Number.isFinite(value)) throw new RangeError("JSON has no NaN or Infinity");
    return JSON.stringify(value ?? null);
  }
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  const record = value as Record<string, unknown>;
  const keys = Object.keys(record)
    .filter((key) => record[key] !== undefined)
    .sort();
  return `{${keys.map((key) => `${JSON.stringify(key)}:${canonicalJson(record[key])}`).join(",")}}`;
}
