// SHA-256 (FIPS 180-4) where there is no native one that answers at once: a browser's own is async.

/** The first 32 bits behind the point of a prime's square or cube root: the standard's constants. */
function rootBits(prime: number, degree: 2 | 3): number {
  const scaled = BigInt(prime) << BigInt(32 * degree);
  let root = 0n;
  for (let bit = 1n << 37n; bit > 0n; bit >>= 1n) {
    const next = root | bit;
    if (next * next * (degree === 3 ? next : 1n) <= scaled) root = next;
  }
  return Number(BigInt.asIntN(32, root));
}

const primes: number[] = [];
for (let n = 2; primes.length < 64; n++) if (primes.every((prime) => n % prime > 0)) primes.push(n);
const start = primes.slice(0, 8).map((prime) => rootBits(prime, 2));
const ofRounds = Int32Array.from(primes, (prime) => rootBits(prime, 3));

const words = new Int32Array(64);

/** Takes the block of 64 bytes that begins at `at` into the state. */
function takeBlock(state: Int32Array, bytes: DataView, at: number): void {
  for (let i = 0; i < 16; i++) words[i] = bytes.getInt32(at + 4 * i);
  for (let i = 16; i < 64; i++) {
    const x = words[i - 15];
    const y = words[i - 2];
    const near = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
    const far = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
    words[i] = (words[i - 16] + near + words[i - 7] + far) | 0;
  }
  let a = state[0];
  let b = state[1];
  let c = state[2];
  let d = state[3];
  let e = state[4];
  let f = state[5];
  let g = state[6];
  let h = state[7];
  for (let i = 0; i < 64; i++) {
    const turned = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
    const one = (h + turned + ((e & f) ^ (~e & g)) + ofRounds[i] + words[i]) | 0;
    const other = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
    const majority = (a & b) ^ (a & c) ^ (b & c);
    h = g;
    g = f;
    f = e;
    e = (d + one) | 0;
    d = c;
    c = b;
    b = a;
    a = (one + other + majority) | 0;
  }
  state[0] += a;
  state[1] += b;
  state[2] += c;
  state[3] += d;
  state[4] += e;
  state[5] += f;
  state[6] += g;
  state[7] += h;
}

const viewOf = ({ buffer, byteOffset, length }: Uint8Array) => new DataView(buffer, byteOffset, length);

/** SHA-256 of bytes that come in parts. */
export function sha256Parts(parts: Iterable<Uint8Array>): Uint8Array {
  const state = Int32Array.from(start);
  const block = new Uint8Array(64);
  const ofBlock = viewOf(block);
  let [filled, length] = [0, 0];
  for (const part of parts) {
    length += part.length;
    const taken = filled > 0 ? Math.min(64 - filled, part.length) : 0;
    block.set(part.subarray(0, taken), filled);
    filled += taken;
    if (filled > 0 && filled < 64) continue;
    if (filled === 64) takeBlock(state, ofBlock, 0);
    const end = part.length - ((part.length - taken) % 64);
    const ofPart = viewOf(part);
    for (let at = taken; at < end; at += 64) takeBlock(state, ofPart, at);
    block.set(part.subarray(end));
    filled = part.length - end;
  }
  // A bit that is 1, zeros, and the number of bits, to a whole block.
  block.fill(0, filled);
  block[filled] = 0x80;
  if (filled >= 56) {
    takeBlock(state, ofBlock, 0);
    block.fill(0);
  }
  ofBlock.setUint32(56, Math.floor(length / 2 ** 29));
  ofBlock.setUint32(60, length << 3);
  takeBlock(state, ofBlock, 0);
  state.forEach((word, i) => {
    ofBlock.setInt32(4 * i, word);
  });
  return block.slice(0, 32);
}

/** SHA-256 of some bytes. */
export function sha256(bytes: Uint8Array): Uint8Array {
  return sha256Parts([bytes]);
}

/** SHA-256 by the platform, for whoever can wait; undefined where it has none: in a page that came neither by https nor from this machine. */
export async function sha256Later(bytes: Uint8Array): Promise<Uint8Array | undefined> {
  const digest = await globalThis.crypto?.subtle?.digest("SHA-256", bytes as Uint8Array<ArrayBuffer>);
  return digest && new Uint8Array(digest);
}
