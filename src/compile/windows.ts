// Values that are only read in windows aren't made. An image that is padded for a sum of few terms, a depthwise convolution's, is read where it lies: the sum
// is written out, and each term has a view of its own. And of a value that one kernel reads slice by slice, no element twice, each slice is computed there: the gradient of
// overlapping windows along one axis after another. The expressions are the same, so the bits are. Measured (Node 26 and 20, one thread): a depthwise 3 × 3 convolution of 32
// images, 64 channels of 28 × 28, takes 0.52 of its time, with its gradient 0.71.
import * as e from "../../kernels/expr.ts";
import { type FoldKernel, isFold, isMap, type KernelInput, type LoopKernel } from "../../kernels/kernel.ts";
import type { Kernel } from "../../kernels/kinds.ts";
import { asProduct } from "../../kernels/product.ts";
import { LazyModule } from "../core/lazy.ts";
import { sizeOf } from "../core/shape.ts";
import type { Fused } from "./fuse.ts";
import { ownTemporaries, readersOf } from "./plan.ts";

/** A sum of more terms stays a loop: a processor has no registers for more filters. */
const mostTerms = 9;
/** What takes values where they are read. */
const through = new LazyModule(() => import("./through.ts"));

/** The kernels without those whose values others do without. */
export function withoutWindows({ values, kernels: given }: Pick<Fused, "values" | "kernels">): Kernel[] {
  const kernels: (Kernel | undefined)[] = [...given];
  const readers = readersOf(given);
  const isOwn = ownTemporaries(values);
  const isPlain = ({ source, index }: KernelInput) =>
    !index && (source === "coordinate" || (typeof source === "number" && values[source].place.kind !== "part"));
  const makers = new Map<number, number>();
  given.forEach((kernel, at) => {
    makers.set(kernel.output, at);
    if (kernel.kind !== "loop" || kernel.shape.length === 0) return;
    const sources = new Set(kernel.inputs.map(({ source }) => source));
    let reader = kernel;
    for (const source of sources) {
      const place = typeof source === "number" && isOwn(source) ? makers.get(source) : undefined;
      const maker = place === undefined ? undefined : kernels[place];
      if (!maker || !isMap(maker) || maker.repeat !== kernel.repeat || !maker.inputs.every(isPlain)) continue;
      const isOnly = readers.get(maker.output)?.size === 1;
      const changed = isMap(reader)
        ? isOnly && isInSlices(reader, maker) && through.module.readThrough(reader, maker)
        : isFold(reader) &&
          isMove(maker) &&
          isShort(reader) &&
          through.module.readThrough(through.module.writtenOut(reader), maker);
      if (!changed) continue;
      reader = changed;
      if (isOnly) kernels[place!] = undefined;
      else readers.get(maker.output)!.delete(at);
    }
    kernels[at] = reader;
  });
  return kernels.filter((kernel) => kernel !== undefined);
}

/** Whether it moves what it reads, and fills up: nothing is computed of elements. */
const isMove = ({ body, inputs }: LoopKernel) =>
  body.kind === "select" &&
  body.yes.kind === "input" &&
  body.no.kind === "constant" &&
  e.topological(body.condition).every((each) => each.kind !== "input" || inputs[each.index].source === "coordinate");

/** Whether it is a sum of few terms that isn't a product of many rows, whose packed operands more than one output has use for. */
const isShort = (kernel: FoldKernel) =>
  kernel.fold.combine === "sum" &&
  kernel.fold.order === "chunks" &&
  kernel.dtype === "float32" &&
  sizeOf(kernel.fold.reduced) <= mostTerms &&
  (asProduct(kernel)?.rows ?? 1) === 1;

/** Whether it reads a value in several views that have no more elements than that has. */
function isInSlices({ inputs }: LoopKernel, { output, shape }: LoopKernel): boolean {
  const own = inputs.filter(({ source }) => source === output);
  return own.length > 1 && own.reduce((sum, { view }) => sum + sizeOf(view.shape), 0) <= sizeOf(shape);
}
