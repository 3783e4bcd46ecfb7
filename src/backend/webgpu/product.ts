// Products in tiles over a workgroup's memory, in the written order: terms ascending in chunks of 256, each product and sum rounded. The device's own × and +
// serve while the sizes of all operands that a tile has seen allow no product or sum to be subnormal or infinite; outputs of a tile where they don't are
// computed again in integers.
import { chunkSize, type LoopKernel } from "../../../kernels/kernel.ts";
import type { Product } from "../../../kernels/product.ts";
import type { View } from "../../../kernels/view.ts";
import { sizeOf } from "../../core/shape.ts";
import { groupSize, tileGrid } from "../../schedule/grid.ts";
import { affine, coordinates, type Dispatch, offset, Shader } from "./shader.ts";

/** Some of a view's axes at a flat index: statements, and how far on the element is. */
function along({ shape, strides }: View, from: number, to: number, flat: string, prefix: string) {
  const { lines, names } = coordinates(flat, shape.slice(from, to), prefix);
  return { lines, step: affine("0u", strides.slice(from, to), names) };
}

/** `repair`: what computes outputs again. */
export function printProduct(kernel: LoopKernel, product: Product, repair: Dispatch, isGuarded: boolean): Dispatch[] {
  const { batch, rows, columns, depth, axes, a, b } = product;
  const lead = batch.length;
  const size = sizeOf(batch) * rows * columns;
  if (size === 0) return [];
  const shader = new Shader({ isGuarded });
  const { side, rows: ownRows, columns: ownColumns, terms } = tileGrid(product);
  const [height, width] = [side * ownRows, side * ownColumns];
  const [down, across] = [Math.ceil(rows / height), Math.ceil(columns / width)];
  const start = (input: typeof a) => {
    const { lines, names } = coordinates("batch", batch, "n");
    const base = shader.base(input.source as number);
    return { lines, text: affine(`${base} + ${offset(input.view.offset)}`, input.view.strides.slice(0, lead), names) };
  };
  const [atA, atB] = [start(a), start(b)];
  const aRow = (flat: string) => along(a.view, lead, lead + axes.rows, flat, "ar");
  const aTerm = (flat: string) => along(a.view, lead + axes.rows, lead + axes.rows + axes.depth, flat, "ak");
  const bTerm = (flat: string) => along(b.view, lead, lead + axes.depth, flat, "bk");
  const bColumn = (flat: string) => along(b.view, lead + axes.depth, b.view.shape.length, flat, "bc");
  const at = shader.base(kernel.output);
  /** A statement on one of the invocation's outputs, if there is one. */
  const inside = (i: string, j: string, statement: string) => {
    const [row, column] = [`(first_a + r0 + ${i})`, `(first_b + c0 + ${j})`];
    const output = `batch * ${rows * columns}u + ${row} * ${columns}u + ${column}`;
    return `if ((${row} < ${rows}u) & (${column} < ${columns}u)) { let output = ${output}; ${statement} }`;
  };
  /** Products of two numbers of 16-bit formats are exact in float32: fused with the sum or not, it is rounded once. */
  const isExact = a.storage !== undefined && b.storage !== undefined;
  const own = (text: (i: number, j: number) => string) =>
    Array.from({ length: ownRows }, (_, i) => Array.from({ length: ownColumns }, (_, j) => text(i, j))).flat();
  const fast = (value: string) => `bitcast<f32>(bitcast<u32>(${value}) | zero)`;
  /** Statements that bring one operand's elements into the tile, and note how small and how large they are. */
  const load = (
    name: "a" | "b",
    extent: number,
    limit: number,
    across: (flat: string) => { lines: string[]; step: string },
    term: (flat: string) => { lines: string[]; step: string },
    isTermFast: boolean,
  ): string[] => {
    const [outer, inner] = [across("line"), term("k")];
    return [
      `for (var e = local; e < ${extent * terms}u; e += ${groupSize}u) {`,
      ...(isTermFast
        ? [`  let t = e % ${terms}u;`, `  let r = e / ${terms}u;`]
        : [`  let r = e % ${extent}u;`, `  let t = e / ${extent}u;`]),
      `  let line = first_${name} + r;`,
      "  let k = k0 + t;",
      "  var x = 0u;",
      `  if ((line < ${limit}u) & (k < ${depth}u)) {`,
      ...[...outer.lines, ...inner.lines].map((line) => `    ${line}`),
      `    x = heap[at_${name} + ${outer.step} + ${inner.step}];`,
      "  }",
      "  let size = x & 0x7fffffffu;",
      `  least_${name} = min(least_${name}, select(size, 0x7f800000u, size == 0u));`,
      `  most_${name} = max(most_${name}, size);`,
      `  tile_${name}[t * ${extent}u + r] = bitcast<f32>(x);`,
      "}",
    ];
  };
  const isTermFast = (view: View, from: number, to: number) => Math.abs(view.strides.slice(from, to).at(-1) ?? 0) === 1;
  shader.shared(`tile_a: array<f32, ${height * terms}>`);
  shader.shared(`tile_b: array<f32, ${width * terms}>`);
  for (const name of ["least_a_all", "least_b_all", "most_a_all", "most_b_all"]) shader.shared(`${name}: atomic<u32>`);
  const lines = [
    `let batch = group / ${down * across}u;`,
    `let tile = group % ${down * across}u;`,
    `let first_a = tile / ${across}u * ${height}u;`,
    `let first_b = tile % ${across}u * ${width}u;`,
    `let r0 = local / ${side}u * ${ownRows}u;`,
    `let c0 = local % ${side}u * ${ownColumns}u;`,
    ...atA.lines,
    `let at_a = ${atA.text};`,
    `let at_b = ${atB.text};`,
    "let zero = hidden_zero();",
    "if (local == 0u) { atomicStore(&least_a_all, 0x7f800000u); atomicStore(&least_b_all, 0x7f800000u); }",
    "var least_a = 0x7f800000u; var least_b = 0x7f800000u; var most_a = 0u; var most_b = 0u;",
    ...own((i, j) => `var s${i}_${j} = 0.0; var t${i}_${j} = 0.0;`),
    `for (var k0 = 0u; k0 < ${depth}u; k0 += ${terms}u) {`,
    "  workgroupBarrier();",
    ...load("a", height, rows, aRow, aTerm, isTermFast(a.view, lead + axes.rows, lead + axes.rows + axes.depth)).map(
      (line) => `  ${line}`,
    ),
    ...load("b", width, columns, bColumn, bTerm, isTermFast(b.view, lead, lead + axes.depth)).map(
      (line) => `  ${line}`,
    ),
    "  workgroupBarrier();",
    `  let stop = min(${terms}u, ${depth}u - k0);`,
    "  for (var t = 0u; t < stop; t++) {",
    ...Array.from({ length: ownRows }, (_, i) => `    let a${i} = tile_a[t * ${height}u + r0 + ${i}u];`),
    ...Array.from({ length: ownColumns }, (_, j) => `    let b${j} = tile_b[t * ${width}u + c0 + ${j}u];`),
    ...own((i, j) => {
      const term = `a${i} * b${j}`;
      return `    s${i}_${j} = ${fast(`s${i}_${j} + ${isExact ? term : fast(term)}`)};`;
    }),
    "  }",
    `  if (k0 % ${chunkSize}u == ${chunkSize - terms}u) {`,
    ...own((i, j) => `    t${i}_${j} = ${fast(`t${i}_${j} + s${i}_${j}`)}; s${i}_${j} = 0.0;`),
    "  }",
    "}",
    // What is left of the last chunk; a sum is never −0, so that adding a 0 changes nothing.
    ...own((i, j) => `t${i}_${j} = ${fast(`t${i}_${j} + s${i}_${j}`)};`),
    "atomicMin(&least_a_all, least_a); atomicMin(&least_b_all, least_b);",
    "atomicMax(&most_a_all, most_a); atomicMax(&most_b_all, most_b);",
    "workgroupBarrier();",
    // Biased exponents. Every product and sum is a multiple of the last place of the smallest product, 2^(low − 254 − 23), which must be 2⁻¹²⁶ or more; there is no subnormal, ∞ or NaN.
    "let low_a = atomicLoad(&least_a_all) >> 23u; let low_b = atomicLoad(&least_b_all) >> 23u;",
    "let high_a = atomicLoad(&most_a_all) >> 23u; let high_b = atomicLoad(&most_b_all) >> 23u;",
    `let isSafe = (min(low_a, low_b) > 0u) & (max(high_a, high_b) < 255u) & (low_a + low_b >= ${254 + 23 - 126}u) & (high_a + high_b <= ${254 + 127 - 2 - (32 - Math.clz32(depth))}u);`,
    "if (isSafe) {",
    ...own((i, j) => `  ${inside(`${i}u`, `${j}u`, shader.store(`${at} + output`, `bitcast<u32>(t${i}_${j})`))}`),
    "} else {",
    `  for (var i = 0u; i < ${ownRows}u; i++) {`,
    `    for (var j = 0u; j < ${ownColumns}u; j++) { ${inside("i", "j", shader.again("output", 0, size))} }`,
    "  }",
    "}",
  ];
  return [shader.dispatch(lines, sizeOf(batch) * down * across), repair];
}
