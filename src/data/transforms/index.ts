// The transforms that a config may name.
export { type RandomCropOptions, type RandomShiftOptions, randomCrop, randomShift } from "./crop.ts";
export { type RandomEraseOptions, type RandomFlipOptions, randomErase, randomFlip } from "./flip.ts";
export { type MixupOptions, mixup } from "./mixup.ts";
