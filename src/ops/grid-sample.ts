// Images read at points that are data: warps, rotations, spatial transformers. A point is (x, y), −1 to 1 across and down.
import { refuse, ShapeError } from "../core/errors.ts";
import type { Node } from "../graph/node.ts";
import { hardtanh } from "./activations.ts";
import { boolean, oneOf, options, takes, tensor } from "./arguments.ts";
import { clamp, round } from "./arithmetic.ts";
import { greaterEqual, lessEqual, logicalAnd } from "./compare.ts";
import { constant } from "./creation.ts";
import { broadcastTo, checkFloat } from "./define.ts";
import { add, cast, floor, mul, sub, where } from "./elementwise.ts";
import { gather } from "./gather.ts";
import { reshape, slice } from "./movement.ts";
import { type PerAxis, perAxis, perAxisKind } from "./per-axis.ts";
import { sum } from "./reduce.ts";

export interface GridOptions {
  /** Whether −1 and 1 are the middles of the first and last points, rather than their outer edges; false unless given. */
  readonly alignCorners?: boolean;
}

export interface GridSampleOptions extends GridOptions {
  /** "bilinear": the four points around, by their shares, as unless given; or the "nearest" one, of two the even one. */
  readonly mode?: "bilinear" | "nearest";
  /** What is read beyond the edges: "zeros", as unless given, or the nearest point of the "border". */
  readonly paddingMode?: "zeros" | "border";
}

/**
 * Images read at the points of a grid, as PyTorch's grid_sample (Jaderberg et al. 2015). x: [batch, channels, height, width], grid: [batch, rows, columns, 2] of (x, y) → [batch,
 * channels, rows, columns]. The four neighbours' products with their shares are added row by row, from the left. Throws ShapeError, DTypeError.
 * @torch torch.nn.functional.grid_sample
 */
export function gridSample(x: Node, grid: Node, options: GridSampleOptions = {}): Node {
  const { mode = "bilinear", paddingMode = "zeros", alignCorners = false } = options;
  for (const given of [x, grid]) checkFloat("gridSample", given);
  const [batch, channels, height, width] = x.shape;
  const [count, rows, columns, pair] = grid.shape;
  if (
    x.shape.length !== 4 ||
    x.shape.slice(2).includes(0) ||
    grid.shape.length !== 4 ||
    count !== batch ||
    pair !== 2
  ) {
    const expected = "[batch, channels, height, width] of heights and widths ≥ 1, and [batch, rows, columns, 2]";
    refuse(ShapeError, "gridSample", "not images and a grid for each", [x, grid], expected);
  }
  const points = rows * columns;
  const place = (which: number, extent: number) => {
    const given = reshape(slice(grid, [null, null, null, [which, which + 1]]), [batch, points]);
    const at = alignCorners ? mul(add(given, 1), (extent - 1) / 2) : mul(sub(mul(add(given, 1), extent), 1), 0.5);
    // What is far outside is moved beside the edge, where there is nothing either: its shares are finite there.
    return paddingMode === "border" ? hardtanh(at, 0, extent - 1) : clamp(at, -1, extent);
  };
  const read = (row: Node, column: Node) => {
    const inside = (at: Node, extent: number) => logicalAnd(greaterEqual(at, 0), lessEqual(at, extent - 1));
    const index = (at: Node, extent: number) => cast(clamp(at, 0, extent - 1), "int32");
    const each = add(mul(index(row, height), width), index(column, width));
    const wide = (of: Node) => broadcastTo(reshape(of, [batch, 1, points]), [batch, channels, points]);
    const found = gather(reshape(x, [batch, channels, height * width]), wide(each), 2);
    return where(wide(logicalAnd(inside(row, height), inside(column, width))), found, 0);
  };
  const [across, down] = [place(0, width), place(1, height)];
  const shaped = (of: Node) => reshape(of, [batch, channels, rows, columns]);
  if (mode === "nearest") return shaped(read(round(down), round(across)));
  const [left, top] = [floor(across), floor(down)];
  const neighbours = [0, 1].flatMap((below) =>
    [0, 1].map((right) => {
      const share = (at: Node, low: Node, second: number) => (second ? sub(at, low) : sub(1, sub(at, low)));
      const weight = mul(share(down, top, below), share(across, left, right));
      return mul(read(add(top, below), add(left, right)), reshape(weight, [batch, 1, points]));
    }),
  );
  return shaped(neighbours.reduce((sum, each) => add(sum, each)));
}

/**
 * The grid of points that affine maps give, for gridSample, as PyTorch's affine_grid: of each point (x, y) of the result a map's rows times (x, y, 1), added. maps: [batch, 2, 3], size: [rows, columns] or one number for
 * both → [batch, rows, columns, 2]. Throws ShapeError, DTypeError.
 * @torch torch.nn.functional.affine_grid
 */
export function affineGrid(maps: Node, size: PerAxis, options: GridOptions = {}): Node {
  const { alignCorners = false } = options;
  checkFloat("affineGrid", maps);
  const [batch, two, three] = maps.shape;
  if (maps.shape.length !== 3 || two !== 2 || three !== 3)
    refuse(ShapeError, "affineGrid", "not affine maps of the plane", maps, "[batch, 2, 3]");
  const [rows, columns] = perAxis("affineGrid", "size", size, 2, 1);
  // One point alone is the middle, either way.
  const at = (i: number, count: number) =>
    (alignCorners && count > 1 ? (2 * i) / (count - 1) : (2 * i + 1) / count) - 1;
  const one = (i: number) => [at(i % columns, columns), at(Math.floor(i / columns), rows), 1];
  const points = Float32Array.from(Array.from({ length: rows * columns }, (_, i) => one(i)).flat());
  const products = mul(constant(points, [rows * columns, 1, 3], "float32"), reshape(maps, [batch, 1, 2, 3]));
  return reshape(sum(products, { axis: -1 }), [batch, rows, columns, 2]);
}

const corners = { "alignCorners?": boolean };
const sampling = options<GridSampleOptions>({
  "mode?": oneOf(["bilinear", "nearest"]),
  "paddingMode?": oneOf(["zeros", "border"]),
  ...corners,
});
takes({ gridSample }, { x: tensor, grid: tensor, "options?": sampling });
takes({ affineGrid }, { maps: tensor, size: perAxisKind, "options?": options<GridOptions>(corners) });
