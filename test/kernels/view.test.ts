// Views against an independent model: a tensor as the plain list of which source element stands at each place, moved one element at a time.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  broadcastView,
  contiguousView,
  coordinateView,
  isContiguous,
  padView,
  reshapeView,
  sliceView,
  transposeView,
  unfoldView,
  type View,
} from "../../kernels/view.ts";
import { type Shape, sizeOf } from "../../src/core/shape.ts";

/** The source element at each place, row-major; null where nothing is read. */
interface Model {
  readonly shape: Shape;
  readonly elements: readonly (number | null)[];
}

/** All points of a shape in row-major order. */
function points(shape: Shape): number[][] {
  return shape.reduce<number[][]>(
    (all, extent) => all.flatMap((point) => Array.from({ length: extent }, (_, i) => [...point, i])),
    [[]],
  );
}

const place = (shape: Shape, point: readonly number[]) => point.reduce((sum, at, axis) => sum * shape[axis] + at, 0);

/** The model whose point p shows what `from(p)` names in the old one, or nothing. */
function moved(model: Model, shape: Shape, from: (point: number[]) => number[] | null): Model {
  const elements = points(shape).map((point) => {
    const source = from(point);
    return source && model.elements[place(model.shape, source)];
  });
  return { shape, elements };
}

/** What a view reads at each point. */
function read(view: View): (number | null)[] {
  return points(view.shape).map((point) =>
    point.every((at, axis) => {
      const bound = view.bounds[axis];
      return !bound || (at >= bound[0] && at < bound[1]);
    })
      ? view.offset + point.reduce((sum, at, axis) => sum + at * view.strides[axis], 0)
      : null,
  );
}

/** Whether the elements lie on an affine index without bounds. */
function isAffine({ shape, elements }: Model): boolean {
  const unit = shape.map((extent, axis) =>
    extent > 1
      ? elements[
          place(
            shape,
            shape.map((_, i) => (i === axis ? 1 : 0)),
          )
        ]! - elements[0]!
      : 0,
  );
  return points(shape).every(
    (point, i) => elements[i] === elements[0]! + point.reduce((sum, at, axis) => sum + at * unit[axis], 0),
  );
}

/** Numbers that decide, one after another; when they run out, zeros. */
function tape(values: readonly number[]): (below: number) => number {
  let at = 0;
  return (below) => (at < values.length ? values[at++] % below : 0);
}

/** All shapes of a size, with some ones in them. */
function shapeOfSize(size: number, pick: (below: number) => number): number[] {
  const shape: number[] = [];
  let rest = size;
  while (rest > 1) {
    const divisors = Array.from({ length: rest }, (_, i) => i + 1).filter((d) => rest % d === 0);
    const extent = divisors[pick(divisors.length)];
    if (extent === 1 && shape.length > 4) break;
    shape.push(extent);
    rest /= extent;
  }
  if (rest > 1) shape.push(rest);
  if (pick(3) === 0) shape.push(1);
  return shape;
}

/** One random movement of a view and of its model; null for the view where it says that no affine view exists. */
function step(view: View, model: Model, pick: (below: number) => number): { view: View | null; model: Model } {
  const { shape } = model;
  switch (pick(6)) {
    case 0: {
      const order = shape.map((_, axis) => axis);
      for (let i = order.length - 1; i > 0; i--) {
        const j = pick(i + 1);
        [order[i], order[j]] = [order[j], order[i]];
      }
      return {
        view: transposeView(view, order),
        model: moved(
          model,
          order.map((axis) => shape[axis]),
          (point) => {
            const source: number[] = [];
            order.forEach((axis, i) => {
              source[axis] = point[i];
            });
            return source;
          },
        ),
      };
    }
    case 1: {
      const target = sizeOf(shape) === 0 ? [...shape].reverse() : shapeOfSize(sizeOf(shape), pick);
      return { view: reshapeView(view, target), model: { shape: target, elements: model.elements } };
    }
    case 2: {
      const starts: number[] = [];
      const steps: number[] = [];
      const target = shape.map((extent, axis) => {
        const stride = pick(3) + 1;
        const start = pick(Math.max(1, extent));
        const backwards = pick(2) === 1;
        starts.push(start);
        steps.push(backwards ? -stride : stride);
        const room = extent === 0 ? 0 : Math.floor((backwards ? start : extent - 1 - start) / stride) + 1;
        return axis === 0 && pick(8) === 7 ? 0 : Math.max(0, room - pick(2));
      });
      return {
        view: sliceView(view, starts, steps, target),
        model: moved(model, target, (point) => point.map((at, axis) => starts[axis] + at * steps[axis])),
      };
    }
    case 3: {
      const before = shape.map(() => pick(3));
      const after = shape.map(() => pick(3));
      const target = shape.map((extent, axis) => before[axis] + extent + after[axis]);
      if (sizeOf(target) > 600) return { view, model };
      return {
        view: padView(view, before, after),
        model: moved(model, target, (point) => {
          const source = point.map((at, axis) => at - before[axis]);
          return source.every((at, axis) => at >= 0 && at < shape[axis]) ? source : null;
        }),
      };
    }
    case 4: {
      if (shape.length === 0 || shape.length > 6) return { view, model };
      const axis = pick(shape.length);
      if (shape[axis] === 0) return { view, model };
      const [size, stride] = [1 + pick(shape[axis]), 1 + pick(3)];
      const dilation = 1 + pick(Math.max(1, Math.floor((shape[axis] - 1) / Math.max(1, size - 1))));
      const count = Math.floor((shape[axis] - dilation * (size - 1) - 1) / stride) + 1;
      const target = [...shape.map((extent, i) => (i === axis ? count : extent)), size];
      if (sizeOf(target) > 600) return { view, model };
      return {
        view: unfoldView(view, axis, size, stride, dilation),
        model: moved(model, target, (point) =>
          shape.map((_, i) => (i === axis ? point[i] * stride + point[shape.length] * dilation : point[i])),
        ),
      };
    }
    default: {
      const lead = Array.from({ length: pick(3) }, () => 1 + pick(3));
      const target = [...lead, ...shape.map((extent) => (extent === 1 ? pick(4) : extent))];
      if (sizeOf(target) > 600) return { view, model };
      return {
        view: broadcastView(view, target),
        model: moved(model, target, (point) =>
          point.slice(lead.length).map((at, axis) => (shape[axis] === 1 ? 0 : at)),
        ),
      };
    }
  }
}

describe("views", () => {
  test("any composition of movements reads what the model reads", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 4 }),
        fc.array(fc.nat(1000), { minLength: 12, maxLength: 60 }),
        (extents, choices) => {
          const shape = extents.map((extent) => (extent === 0 ? 1 : extent));
          const pick = tape(choices);
          let view = contiguousView(shape);
          let model: Model = { shape, elements: points(shape).map((_, i) => i) };
          for (let count = 0; count < 6; count++) {
            const next = step(view, model, pick);
            if (next.view) {
              expect(next.view.shape).toEqual(next.model.shape);
              expect(read(next.view)).toEqual(next.model.elements);
              ({ view, model } = next as { view: View; model: Model });
              continue;
            }
            // Null means that a copy is needed: never for an affine index without bounds.
            if (view.bounds.every((bound) => !bound)) expect(isAffine(next.model)).toBe(false);
            view = contiguousView(next.model.shape);
            model = { shape: next.model.shape, elements: next.model.elements.map((_, i) => i) };
          }
        },
      ),
      { numRuns: 2000 },
    );
  });

  test("contiguous is exactly reading in order", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(1000), { minLength: 12, maxLength: 40 }), (choices) => {
        const pick = tape(choices);
        const shape = Array.from({ length: pick(4) }, () => 1 + pick(3));
        let view = contiguousView(shape);
        let model: Model = { shape, elements: points(shape).map((_, i) => i) };
        for (let count = 0; count < 3; count++) {
          const next = step(view, model, pick);
          if (!next.view) return;
          ({ view, model } = next as { view: View; model: Model });
          const inOrder = model.elements.every((element, i) => element === i);
          if (isContiguous(view)) expect(inOrder).toBe(true);
          // The converse, but for views whose bounds exclude nothing.
          else if (model.elements.length > 0 && view.bounds.every((bound) => !bound)) expect(inOrder).toBe(false);
        }
      }),
      { numRuns: 1000 },
    );
  });

  test("a coordinate view's index is the coordinate, and stays it when moved", () => {
    const view = coordinateView([3, 4], 1);
    expect(read(view)).toEqual([0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3]);
    expect(read(transposeView(view, [1, 0]))).toEqual([0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3]);
    expect(read(sliceView(view, [0, 3], [1, -2], [1, 2]))).toEqual([3, 1]);
  });

  test("a contiguous view reshapes to any shape of its size", () => {
    for (const shape of [[24], [2, 12], [1, 2, 3, 4], [4, 1, 6, 1], [2, 2, 2, 3]]) {
      for (const target of [[24], [6, 4], [4, 3, 2, 1], [1, 24], [3, 8]]) {
        expect(read(reshapeView(contiguousView(shape), target)!)).toEqual(Array.from({ length: 24 }, (_, i) => i));
      }
    }
  });
});
