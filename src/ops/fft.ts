// Discrete Fourier transforms of any length, on pairs (real, imaginary) as a last axis of extent 2: there is no complex dtype. Composites of matrix
// products with small tables, so that gradients are free. Tables hold cosines and sines computed in float64 by this library's own, rounded once.
import { refuse, ShapeError } from "../core/errors.ts";
import { cos } from "../core/real.ts";
import { sizeOf } from "../core/shape.ts";
import type { Node } from "../graph/node.ts";
import { padAlong } from "./along.ts";
import { number, options, takes, tensor } from "./arguments.ts";
import { constant } from "./creation.ts";
import { checkFloat } from "./define.ts";
import { add, div, mul, neg, sub } from "./elementwise.ts";
import { zerosLike } from "./grid.ts";
import { at } from "./indexing.ts";
import { matmul } from "./matmul.ts";
import { concat, flip, reshape, slice, stack, transpose } from "./movement.ts";

/** A factor is at most this, unless it is prime: its transform is a matrix product of that depth. */
const largestRadix = 8;
/** A longer prime factor is left to Bluestein's algorithm, since a matrix product's cost is its square. */
const largestPrime = 128;

/** cos(2π·p ÷ n) in float64, exact at quarters of a turn. */
function cosine(p: number, n: number): number {
  const turned = Math.abs(p % n);
  const half = Math.min(turned, n - turned);
  return 4 * half === n ? 0 : cos((2 * Math.PI * half) / n);
}

/** e^(−2πi·p ÷ n): cosine and minus sine, which is the cosine of a quarter turn more. */
const root = (p: number, n: number): [number, number] => [cosine(p, n), cosine(4 * p + n, 4 * n)];

/** Real and imaginary parts of as many numbers. */
type Complex = readonly [re: Node, im: Node];

/** Tables are made once for each length that is in use. */
const tables = new Map<string, Float32Array>();

function table(key: string, shape: readonly number[], entry: (i: number) => number): Node {
  let data = tables.get(key);
  if (!data) {
    data = Float32Array.from({ length: sizeOf(shape) }, (_, i) => entry(i));
    if (tables.size === 64) tables.clear();
    tables.set(key, data);
  }
  return constant(data, shape, "float32");
}

/** Real and imaginary part of a table of roots: entry i is e^(−2πi·turns(i) ÷ n). */
function roots(key: string, shape: readonly number[], turns: (i: number) => number, n: number): Complex {
  const part = (which: 0 | 1) => table(`${key} ${which}`, shape, (i) => root(turns(i), n)[which]);
  return [part(0), part(1)];
}

const times = ([a, b]: Complex, [c, d]: Complex): Complex => [sub(mul(a, c), mul(b, d)), add(mul(a, d), mul(b, c))];

/** Factors of n, small ones multiplied into one up to the largest radix; undefined where a prime is too long. */
function radicesOf(n: number): number[] | undefined {
  const primes: number[] = [];
  for (let rest = n, p = 2; rest > 1; p++) {
    if (p * p > rest) p = rest;
    for (; rest % p === 0; rest /= p) primes.push(p);
  }
  if (primes.some((p) => p > largestPrime)) return undefined;
  const radices: number[] = [];
  for (const p of primes.reverse()) {
    const i = radices.findIndex((radix) => radix * p <= largestRadix);
    if (i < 0) radices.push(p);
    else radices[i] *= p;
  }
  return radices;
}

/**
 * Σⱼ xⱼ·e^(−2πi·jk ÷ n) along the last of two axes, [batch, n], imaginary parts 0 where there are none. Cooley & Tukey's mixed radix, decimation in time:
 * j = j₁·m + j₂; a product with the radix's own transform over j₁, then twiddle factors, then the rest over j₂. Frequencies come out in order, since the digit
 * that is done is placed before those that were (Stockham).
 */
function transform(re: Node, im: Node | undefined, n: number): Complex {
  const radices = radicesOf(n);
  if (!radices) return bluestein(re, im ?? zerosLike(re), n);
  const [batch] = re.shape;
  let parts: readonly Node[] = im ? [re, im] : [re];
  let [rest, done] = [n, 1];
  for (const radix of radices) {
    const m = rest / radix;
    const own = table(`radix ${radix}`, [2 * radix, radix], (i) => {
      const [k, j] = [Math.floor(i / radix), i % radix];
      return root(j * (k % radix), radix)[k < radix ? 0 : 1];
    });
    const products = parts.map((part) =>
      reshape(matmul(own, reshape(part, [batch, radix, m * done])), [batch, 2, radix, m, done]),
    );
    const [rc, rs, ic, is] = products.flatMap((product) => [0, 1].map((i) => slice(product, [null, i])));
    const found: Complex = ic ? [sub(rc, is), add(rs, ic)] : [rc, rs];
    const inOrder: Complex = [transpose(found[0], [0, 2, 1, 3]), transpose(found[1], [0, 2, 1, 3])];
    const twiddles = () =>
      roots(`twiddle ${rest} ${radix}`, [m, radix, 1], (i) => Math.floor(i / radix) * (i % radix), rest);
    const turned = m > 1 ? times(inOrder, twiddles()) : inOrder;
    done *= radix;
    parts = turned.map((part) => reshape(part, [batch, m * done]));
    rest = m;
  }
  return [parts[0], parts[1] ?? zerosLike(parts[0])];
}

/** The inverse: real and imaginary parts exchanged before and after, ÷ n. */
function inverse([re, im]: Complex, n: number): Complex {
  const [b, a] = transform(im, re, n);
  return [div(a, n), div(b, n)];
}

/** Bluestein's algorithm: jk = (j² + k² − (k − j)²) ÷ 2 makes it a convolution, done by transforms of a power of two. */
function bluestein(re: Node, im: Node, n: number): Complex {
  let size = 1;
  while (size < 2 * n - 1) size *= 2;
  const chirp = roots(`chirp ${n}`, [n], (j) => (j * j) % (2 * n), 2 * n);
  const place = (i: number) => (i < n ? i : size - i < n ? size - i : -1);
  const around = [0, 1].map((which) =>
    table(`around ${n} ${which}`, [1, size], (i) => {
      const j = place(i);
      return j < 0 ? 0 : root((2 * n - ((j * j) % (2 * n))) % (2 * n), 2 * n)[which];
    }),
  );
  const padded = times([re, im], chirp).map((part) => padAlong(part, 1, [0, size - n]));
  const filtered = times(transform(padded[0], padded[1], size), transform(around[0], around[1], size));
  const [a, b] = inverse(filtered, size).map((part) => slice(part, [null, [0, n]]));
  return times([a, b], chirp);
}

function checkPairs(name: string, x: Node): void {
  const [points, pair] = x.shape.slice(-2);
  checkFloat(name, x);
  if (x.shape.length < 2 || pair !== 2 || points === 0) {
    const hint = name === "fft" ? "of real numbers it is rfft(x)" : undefined;
    refuse(ShapeError, name, "not pairs of real and imaginary parts", x, "[..., n, 2], n ≥ 1", hint);
  }
}

/** [..., n] as [batch, n]. */
const rows = (x: Node): Node => {
  const n = x.shape[x.shape.length - 1];
  return reshape(x, [sizeOf(x.shape) / n, n]);
};
const partsOf = (x: Node): Complex => [rows(at(x, "...", 0)), rows(at(x, "...", 1))];
const pairs = ([re, im]: Complex, lead: readonly number[]): Node =>
  reshape(stack([re, im], -1), [...lead, re.shape[1], 2]);

/** Discrete Fourier transform, Xₖ = Σⱼ xⱼ·e^(−2πi·jk ÷ n), of pairs (real, imaginary): [..., n, 2] → [..., n, 2], any n ≥ 1. No scaling, as NumPy's and PyTorch's default. Throws ShapeError, DTypeError. @torch torch.fft.fft */
export function fft(x: Node): Node {
  checkPairs("fft", x);
  const n = x.shape[x.shape.length - 2];
  return pairs(transform(...partsOf(x), n), x.shape.slice(0, -2));
}

/** Inverse of `fft`: xⱼ = (Σₖ Xₖ·e^(2πi·jk ÷ n)) ÷ n. [..., n, 2] → [..., n, 2]. Throws ShapeError, DTypeError. @torch torch.fft.ifft */
export function ifft(x: Node): Node {
  checkPairs("ifft", x);
  return pairs(inverse(partsOf(x), x.shape[x.shape.length - 2]), x.shape.slice(0, -2));
}

/** `fft` of real numbers, its first half: [..., n] → [..., ⌊n ÷ 2⌋ + 1, 2]; the others are their conjugates. Throws ShapeError, DTypeError. @torch torch.fft.rfft */
export function rfft(x: Node): Node {
  checkFloat("rfft", x);
  const n = x.shape[x.shape.length - 1];
  if (!(n >= 1)) refuse(ShapeError, "rfft", "nothing to transform", x, "[..., n], n ≥ 1");
  const half = transform(rows(x), undefined, n).map((part) => slice(part, [null, [0, Math.floor(n / 2) + 1]]));
  return pairs([half[0], half[1]], x.shape.slice(0, -1));
}

export interface IrfftOptions {
  /** Numbers of the result: 2·(half − 1), or that and 1 more. The even one unless given. */
  readonly n?: number;
}

/** Inverse of `rfft`: [..., half, 2] → [..., n], real numbers. The imaginary part of the first, and of an even n's last, counts for nothing. Throws ShapeError, DTypeError. @torch torch.fft.irfft */
export function irfft(x: Node, options: IrfftOptions = {}): Node {
  const { n } = options;
  checkPairs("irfft", x);
  const half = x.shape[x.shape.length - 2];
  const size = n ?? Math.max(1, 2 * (half - 1));
  if (!Number.isInteger(size) || size < 1 || Math.floor(size / 2) + 1 !== half) {
    const problem = "not the half of that many";
    refuse(ShapeError, "irfft", problem, `${half} for n ${size}`, `n ${2 * (half - 1)} or ${2 * half - 1}`);
  }
  const [re, im] = partsOf(x);
  const others = (part: Node) => flip(slice(part, [null, [1, size - half + 1]]), 1);
  const whole: Complex = [concat([re, others(re)], 1), concat([im, neg(others(im))], 1)];
  return reshape(inverse(whole, size)[0], [...x.shape.slice(0, -2), size]);
}

takes({ fft, ifft, rfft }, { x: tensor });
const length = options<IrfftOptions>({ "n?": number });
takes({ irfft }, { x: tensor, "options?": length }, "the length goes by name: { n: 7 }");
