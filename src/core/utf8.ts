// The order of every sorted key and name.

const utf8 = new TextEncoder();

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) if (a[i] !== b[i]) return a[i] - b[i];
  return a.length - b.length;
}

/** Orders strings by their UTF-8 bytes, the order of every sorted key and name. */
export function compareUtf8(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const [x, y] = [a.charCodeAt(i), b.charCodeAt(i)];
    if (x === y) continue;
    // UTF-16 units are in the order of UTF-8 but where a surrogate is one of them.
    const surrogate = (x & 0xf800) === 0xd800 || (y & 0xf800) === 0xd800;
    return surrogate ? compareBytes(utf8.encode(a), utf8.encode(b)) : x - y;
  }
  return a.length - b.length;
}
