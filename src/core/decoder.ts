// What core/canonical's encoder wrote, read back. The bytes may be anybody's: each read is held to what is left of them.
import { type Canonical, float32FromBits } from "./canonical.ts";
import { DataError } from "./errors.ts";

/** Values may hold values so deep. */
const deepest = 64;

/** Reads the primitives of the encoding in order. Throws DataError naming `where` for bytes that end early or are no value. */
export class Decoder {
  readonly #where: string;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(where: string, bytes: Uint8Array) {
    this.#where = where;
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  #take(count: number): number {
    const at = this.#at;
    if (count > this.#bytes.length - at) this.refuse("the bytes end early", `${this.#bytes.length - at} of ${count}`);
    this.#at += count;
    return at;
  }

  u8(): number {
    return this.#bytes[this.#take(1)];
  }

  u32(): number {
    return this.#view.getUint32(this.#take(4), true);
  }

  /** A number where it holds the integer, and else a bigint. */
  i64(): number | bigint {
    const value = this.#view.getBigInt64(this.#take(8), true);
    return Number.isSafeInteger(Number(value)) ? Number(value) : value;
  }

  u64(): bigint {
    return this.#view.getBigUint64(this.#take(8), true);
  }

  /** An integer in [0, 2⁵³), of eight bytes. */
  count(): number {
    const value = this.i64();
    if (typeof value === "bigint" || value < 0) this.refuse("not a count", String(value));
    return value;
  }

  bytes(count: number): Uint8Array {
    const at = this.#take(count);
    return this.#bytes.slice(at, at + count);
  }

  string(): string {
    const bytes = this.bytes(this.u32());
    try {
      return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    } catch {
      this.refuse("text that isn't UTF-8", `${bytes.length} bytes`);
    }
  }

  /** A list of what `read` reads, after its length. */
  list<T>(read: () => T): T[] {
    const count = this.u32();
    // An item takes a byte at least.
    if (count > this.#bytes.length - this.#at) this.refuse("a list longer than the bytes left", `${count} items`);
    return Array.from({ length: count }, read);
  }

  /** A tagged value of any attribute type. */
  value(depth = 0): Canonical {
    if (depth > deepest) this.refuse("values within values", `more than ${deepest}`);
    const tag = this.u8();
    switch (tag) {
      case 0:
        return null;
      case 1:
      case 2:
        return tag === 2;
      case 3:
        return this.i64();
      case 4:
        return float32FromBits(this.u32());
      case 5:
        return this.string();
      case 6:
        return this.bytes(this.u32());
      case 7:
        return this.list(() => this.value(depth + 1));
      case 8:
        return Object.fromEntries(this.list(() => [this.string(), this.value(depth + 1)] as const));
      default:
        this.refuse("not a value's tag", String(tag));
    }
  }

  /** Throws unless all was read. */
  end(): void {
    const left = this.#bytes.length - this.#at;
    if (left > 0) this.refuse("bytes after the end", `${left} bytes`);
  }

  /** Throws DataError, saying where in the bytes. */
  refuse(problem: string, got: string, expected?: string): never {
    throw new DataError({ where: `${this.#where}, byte ${this.#at}`, problem, got, expected });
  }
}
