// Memory of the backends that live on the host: a buffer is a typed array. What is done with the elements is no business of this file.

import type { Backend, Buffer } from "../compile/contract.ts";
import { type DType, makeArray, type TypedArray } from "../core/dtype.ts";
import { BackendError } from "../core/errors.ts";

interface HostBuffer extends Buffer {
  array: TypedArray | null;
}

/** The memory half of the contract over typed arrays, for the backend called `name`, and `arrayOf`: a buffer's elements, themselves. Throws BackendError for a freed buffer or data of another size. */
export function hostMemory(
  name: string,
): Pick<Backend, "allocate" | "write" | "read" | "free"> & { arrayOf(buffer: Buffer): TypedArray } {
  const arrayOf = (buffer: Buffer): TypedArray => {
    const { array } = buffer as HostBuffer;
    if (!array) throw new BackendError({ where: name, problem: "a buffer was used after it was freed" });
    return array;
  };
  return {
    arrayOf,
    allocate(dtype: DType, size: number): Buffer {
      return { dtype, size, array: makeArray(dtype, size) } as HostBuffer;
    },
    write(buffer, data) {
      const array = arrayOf(buffer);
      if (data.length !== array.length)
        throw new BackendError({
          where: `${name}.write`,
          problem: "sizes differ",
          got: String(data.length),
          expected: String(array.length),
        });
      array.set(data);
    },
    async read(buffer) {
      return arrayOf(buffer).slice();
    },
    free(buffer) {
      (buffer as HostBuffer).array = null;
    },
  };
}
