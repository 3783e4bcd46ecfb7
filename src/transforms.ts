// `seedgrad/transforms`: functions of functions of tensors, beside compiling and gradients: loops, batches, further derivatives, gradients of one's own.
export {
  hessian,
  hvp,
  type JacobianOptions,
  jacobian,
  jvp,
  type TensorResult,
  vjp,
} from "./program/derivatives.ts";
export { type CustomGradientContext, checkpoint, customGradient } from "./program/segments.ts";
export { type VmapOptions, vmap } from "./program/vmap.ts";
export { type ScanOptions, scan } from "./tensor/scan.ts";
