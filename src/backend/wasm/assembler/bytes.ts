// Bytes of a module: whole numbers in LEB128, and what code is written to.

/** Unsigned LEB128. */
export function unsigned(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  bytes.push(rest);
  return bytes;
}

/** Signed LEB128; numbers are int32. */
export function signed(value: bigint | number): number[] {
  const bytes: number[] = [];
  if (typeof value === "number") {
    for (let rest = value; ; rest >>= 7) {
      if (rest >= -64 && rest < 64) return [...bytes, rest & 127];
      bytes.push((rest & 127) | 128);
    }
  }
  for (let rest = value; ; rest >>= 7n) {
    if (rest >= -64n && rest < 64n) return [...bytes, Number(rest & 127n)];
    bytes.push(Number(rest & 127n) | 128);
  }
}

/** A growing array of bytes. */
export class Bytes {
  #data = new Uint8Array(256);
  length = 0;

  push(...bytes: readonly number[]): void {
    this.extend(bytes);
  }

  extend(bytes: readonly number[]): void {
    this.#reserve(bytes.length);
    for (let i = 0; i < bytes.length; i++) this.#data[this.length++] = bytes[i];
  }

  append(other: Bytes): void {
    this.#reserve(other.length);
    this.#data.set(other.finish(), this.length);
    this.length += other.length;
  }

  finish(): Uint8Array<ArrayBuffer> {
    return this.#data.subarray(0, this.length);
  }

  #reserve(count: number): void {
    if (this.length + count <= this.#data.length) return;
    const bigger = new Uint8Array(Math.max(2 * this.#data.length, this.length + count));
    bigger.set(this.#data);
    this.#data = bigger;
  }
}
