// Windows of images and sequences: convolution, pooling, unfolding, resampling.
import { family, type Methods } from "../family.ts";
import { methods } from "../members/images.ts";

declare module "../tensor.ts" {
  interface Tensor extends Methods<typeof methods> {}
}

/** The functions of this family, by name. */
export const ops = family(methods);

export const { conv1d, conv2d, conv3d, convTranspose1d, convTranspose2d, convTranspose3d } = ops;
export const { maxPool1d, maxPool2d, maxPool3d, avgPool1d, avgPool2d, avgPool3d } = ops;
export const { adaptiveAvgPool1d, adaptiveAvgPool2d, adaptiveAvgPool3d, globalAvgPool } = ops;
export const { adaptiveMaxPool1d, adaptiveMaxPool2d, adaptiveMaxPool3d, globalMaxPool } = ops;
export const { unfold, im2col, col2im } = ops;
export const { interpolate, pixelShuffle, pixelUnshuffle, gridSample, affineGrid } = ops;
