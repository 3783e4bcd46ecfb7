// Images in another resolution: by the nearest point or between points, and channels that become points. Images are [batch, channels, ...extents].
import { ConfigError, refuse, ShapeError, showValue } from "../core/errors.ts";
import { formatShape } from "../core/shape.ts";
import type { Node } from "../graph/node.ts";
import { pointsAlong, valuesAlong } from "./along.ts";
import { boolean, number, oneOf, options, takes, tensor } from "./arguments.ts";
import { broadcastTo } from "./define.ts";
import { add, mul } from "./elementwise.ts";
import { reshape, transpose } from "./movement.ts";
import { extentNames, type PerAxis, perAxis, perAxisKind } from "./per-axis.ts";

/** The mean of neighbours along each axis has another name for one, two and three dimensions. */
export type InterpolateMode = "nearest" | "linear" | "bilinear" | "trilinear";

export interface InterpolateOptions {
  /** The new extents. */
  readonly size?: PerAxis;
  /** What the extents are multiplied by, rounded down: in place of `size`. */
  readonly scaleFactor?: PerAxis;
  /** "nearest" unless given. */
  readonly mode?: InterpolateMode;
  /** Whether the first and last points stay where they are, rather than the outer edges of these; false unless given. Not for "nearest". */
  readonly alignCorners?: boolean;
}

const between = ["linear", "bilinear", "trilinear"] as const;

function lerp(x: Node, axis: number, places: readonly number[]): Node {
  const last = x.shape[axis] - 1;
  const low = places.map((place) => Math.min(Math.floor(place), last));
  const share = places.map((place, i) => place - low[i]);
  const [high, rest] = [low.map((each) => Math.min(each + 1, last)), share.map((each) => 1 - each)];
  const part = (at: readonly number[], weights: readonly number[]) =>
    mul(pointsAlong(x, axis, at), valuesAlong(x.shape, axis, Float32Array.from(weights)));
  return add(part(low, rest), part(high, share));
}

/** What can be said of the options without an image. Throws ConfigError unless they have one of size and scaleFactor, in range, and fit together. */
export function checkInterpolation(
  where: string,
  { size, scaleFactor, mode = "nearest", alignCorners = false }: InterpolateOptions,
): void {
  if ((size === undefined) === (scaleFactor === undefined)) {
    const problem = "not one of size and scaleFactor";
    refuse(ConfigError, where, problem, size === undefined ? "neither" : "both", "one of them");
  }
  const given = size ?? scaleFactor!;
  const numbers = typeof given === "number" ? [given] : given;
  const isFit = (each: number) =>
    size === undefined ? each > 0 && each < Infinity : Number.isSafeInteger(each) && each > 0;
  if (numbers.length === 0 || !numbers.every(isFit)) {
    const [what, expected] = size === undefined ? ["scaleFactor", "finite numbers > 0"] : ["size", "integers ≥ 1"];
    refuse(ConfigError, where, `no ${what} for each axis`, showValue(given), expected);
  }
  if (mode === "nearest" && alignCorners)
    refuse(ConfigError, where, "alignCorners is for modes between points", mode, between.join(", "));
}

/**
 * Images in another resolution, as PyTorch's interpolate. x: [batch, channels, ...extents] → [batch, channels, ...size], of one to three extents. "nearest"
 * takes point ⌊i ÷ scale⌋, as exact numbers. "linear", "bilinear" and "trilinear" (of one, two, three extents) add the two neighbours of
 * (i + ½) ÷ scale − ½, times their shares, along the last axis first; with `alignCorners` of i · (from − 1) ÷ (to − 1). Places and shares are float64, the shares
 * rounded once. The scale is `scaleFactor` where that is given, else to ÷ from; of neighbours an axis whose extent stays is as it was. Throws ShapeError, ConfigError.
 * @torch torch.nn.functional.interpolate
 */
export function interpolate(x: Node, options: InterpolateOptions): Node {
  const { size, scaleFactor, mode = "nearest", alignCorners = false } = options;
  const extents = x.shape.slice(2);
  const rank = extents.length;
  if (rank < 1 || rank > 3 || extents.includes(0)) {
    refuse(ShapeError, "interpolate", "not images", x, "[batch, channels, ...extents], of one to three extents ≥ 1");
  }
  checkInterpolation("interpolate", options);
  if (mode !== "nearest" && mode !== between[rank - 1]) {
    const problem = "a mode for other images";
    refuse(ConfigError, "interpolate", problem, mode, `"nearest" or "${between[rank - 1]}" for [${extentNames(rank)}]`);
  }
  const factors = typeof scaleFactor === "number" ? extents.map(() => scaleFactor) : scaleFactor;
  if (factors && factors.length !== rank)
    refuse(ConfigError, "interpolate", "not a factor for each axis", `[${factors}]`, `a number, or ${rank} of them`);
  const counts = factors
    ? extents.map((extent, i) => Math.floor(extent * factors[i]))
    : perAxis("interpolate", "size", size!, rank, 1);
  if (counts.includes(0)) {
    refuse(ShapeError, "interpolate", "nothing is left", `${formatShape(extents)} times [${factors}]`, "extents ≥ 1");
  }
  if (mode === "nearest" && counts.every((count, i) => count % extents[i] === 0)) return repeated(x, counts);
  return counts.reduceRight<Node>((y, count, i) => {
    const [extent, axis] = [extents[i], 2 + i];
    if (count === extent && (mode !== "nearest" || !factors || factors[i] === 1)) return y;
    const back = (place: number) => (factors ? place / factors[i] : (place * extent) / count);
    const points = Array.from({ length: count }, (_, at) => at);
    if (mode === "nearest") {
      const places = points.map((at) => Math.min(Math.floor(back(at)), extent - 1));
      return pointsAlong(y, axis, places);
    }
    const places = points.map((at) => {
      if (alignCorners) return count > 1 ? (at * (extent - 1)) / (count - 1) : 0;
      return Math.max(0, back(at + 0.5) - 0.5);
    });
    return lerp(y, axis, places);
  }, x);
}

/** Each point as often as the extents grow: a view, one copy, and a gradient that is a sum. */
function repeated(x: Node, counts: readonly number[]): Node {
  const [batch, channels, ...extents] = x.shape;
  const apart = (of: (i: number) => number) => [batch, channels, ...extents.flatMap((extent, i) => [extent, of(i)])];
  const ones = apart(() => 1);
  const stretched = apart((i) => counts[i] / extents[i]);
  const wide = broadcastTo(reshape(x, ones), stretched);
  return reshape(wide, [batch, channels, ...counts]);
}

function checkFactor(
  where: string,
  x: Node,
  factor: number,
  fits: (shape: readonly number[]) => boolean,
  expected: string,
) {
  if (Number.isSafeInteger(factor) && factor >= 1 && x.shape.length >= 3 && fits(x.shape.slice(-3))) return;
  refuse(ShapeError, where, "a factor that doesn't divide", `${formatShape(x.shape)} by ${factor}`, expected);
}

/** [..., channels, height, width] with these axes cut, in another order, and joined. */
function regrouped(x: Node, cut: readonly number[], order: readonly number[], joined: readonly number[]): Node {
  const lead = x.shape.slice(0, -3);
  const moved = transpose(reshape(x, [...lead, ...cut]), [...lead.keys(), ...order.map((axis) => lead.length + axis)]);
  return reshape(moved, [...lead, ...joined]);
}

/** Channels become points: [..., channels · f², height, width] → [..., channels, height · f, width · f], as PyTorch's pixel_shuffle (Shi et al. 2016). Throws ShapeError. @torch torch.nn.functional.pixel_shuffle */
export function pixelShuffle(x: Node, factor: number): Node {
  const fits = ([channels]: readonly number[]) => channels % (factor * factor) === 0;
  checkFactor("pixelShuffle", x, factor, fits, "[..., channels · factor², height, width]");
  const [channels, height, width] = x.shape.slice(-3);
  const left = channels / (factor * factor);
  const cut = [left, factor, factor, height, width];
  return regrouped(x, cut, [0, 3, 1, 4, 2], [left, height * factor, width * factor]);
}

/** Points become channels: [..., channels, height · f, width · f] → [..., channels · f², height, width]: pixelShuffle backwards, as PyTorch's pixel_unshuffle. Throws ShapeError. @torch torch.nn.functional.pixel_unshuffle */
export function pixelUnshuffle(x: Node, factor: number): Node {
  const fits = ([, height, width]: readonly number[]) => height % factor === 0 && width % factor === 0;
  checkFactor("pixelUnshuffle", x, factor, fits, "[..., channels, height · factor, width · factor]");
  const [channels, height, width] = x.shape.slice(-3);
  const [rows, columns] = [height / factor, width / factor];
  const cut = [channels, rows, factor, columns, factor];
  return regrouped(x, cut, [0, 2, 4, 1, 3], [channels * factor * factor, rows, columns]);
}

/** What the options are. */
export const interpolateKinds = options<InterpolateOptions>({
  "size?": perAxisKind,
  "scaleFactor?": perAxisKind,
  "mode?": oneOf(["nearest", ...between]),
  "alignCorners?": boolean,
});
takes({ interpolate }, { x: tensor, options: interpolateKinds }, "size or scaleFactor go by name: { scaleFactor: 2 }");
takes({ pixelShuffle, pixelUnshuffle }, { x: tensor, factor: number });
