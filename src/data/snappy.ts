// What Snappy packed, by its format's description: literals, and copies of what came before.

/** The `size` bytes that packed ones say. Throws for others. */
export function unsnappy(packed: Uint8Array, size: number): Uint8Array {
  const output = new Uint8Array(size);
  let at = 0;
  let to = 0;
  const little = (bytes: number) => {
    let value = 0;
    for (let i = bytes - 1; i >= 0; i--) value = 256 * value + packed[at + i];
    at += bytes;
    return value;
  };
  const check = (holds: boolean) => {
    if (!holds) throw new Error(`${packed.length} bytes that don't unpack to ${size}`);
  };
  // The size, which is known.
  while (at < packed.length && packed[at++] >= 128);
  while (at < packed.length) {
    const tag = packed[at++];
    const kind = tag % 4;
    if (kind === 0) {
      const short = tag >> 2;
      const length = 1 + (short < 60 ? short : little(short - 59));
      check(length <= packed.length - at && length <= size - to);
      output.set(packed.subarray(at, at + length), to);
      at += length;
      to += length;
    } else {
      const length = kind === 1 ? 4 + ((tag >> 2) % 8) : 1 + (tag >> 2);
      const back = kind === 1 ? 256 * (tag >> 5) + little(1) : little(kind === 2 ? 2 : 4);
      check(back > 0 && back <= to && length <= size - to);
      for (const end = to + length; to < end; to++) output[to] = output[to - back];
    }
  }
  check(to === size);
  return output;
}
