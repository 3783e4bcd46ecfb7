// Inputs that every backend and every run gets alike: values from the stream's words, cheap to make.
import { type Shape, tensor } from "../../src/index.ts";

/** Numbers in [−scale, scale) by a fixed recurrence; a fresh tensor a call, so that each backend holds its own copy. */
export function numbers(shape: Shape, scale = 1) {
  const count = shape.reduce((product, extent) => product * extent, 1);
  const data = new Float32Array(count);
  let state = 12345;
  for (let i = 0; i < count; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    data[i] = (state / 2 ** 31) * scale;
  }
  return tensor(data, { shape });
}
