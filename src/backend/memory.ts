// A backend's buffers: on the host each is a typed array; elsewhere all lie in one memory. What is done with the elements is no business of this file.

import type { Backend, Buffer } from "../compile/contract.ts";
import { type DType, dtypeOf, itemSize, makeArray, type TypedArray } from "../core/dtype.ts";
import { BackendError, refuse } from "../core/errors.ts";

/** The memory half of the contract. */
type Half = Pick<Backend, "allocate" | "write" | "read" | "free">;

function refuseFreed(where: string): never {
  throw new BackendError({ where, problem: "a buffer was used after it was freed" });
}

function checkData(name: string, { dtype, size }: Buffer, data: TypedArray): void {
  if (data.length !== size) refuse(BackendError, `${name}.write`, "sizes differ", data.length, String(size));
  if (dtypeOf(data) !== dtype)
    refuse(BackendError, `${name}.write`, "elements of another dtype", data.constructor.name, dtype);
}

interface HostBuffer extends Buffer {
  array: TypedArray | null;
}

/** The memory half of the contract over typed arrays, for the backend called `name`, and `arrayOf`: a buffer's elements, themselves. Throws BackendError for a freed buffer or data of another size. */
export function hostMemory(name: string): Half & { arrayOf(buffer: Buffer): TypedArray } {
  const arrayOf = (buffer: Buffer): TypedArray => (buffer as HostBuffer).array ?? refuseFreed(name);
  return {
    arrayOf,
    allocate(dtype: DType, size: number): Buffer {
      return { dtype, size, array: makeArray(dtype, size) } as HostBuffer;
    },
    write(buffer, data) {
      const array = arrayOf(buffer);
      checkData(name, buffer, data);
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

/** Memory whose bytes have addresses. */
export interface Addressed {
  /** The address of zeroed bytes. */
  allocate(bytes: number): number;
  free(address: number, bytes: number): void;
  /** Copies elements in. */
  write(address: number, data: TypedArray): void;
  /** Copies elements out. */
  read(dtype: DType, address: number, size: number): TypedArray | Promise<TypedArray>;
}

interface PlacedBuffer extends Buffer {
  readonly owner: Addressed;
  /** −1 once it is freed. */
  address: number;
}

/** Where a buffer of the backend called `name` lies in its memory. Throws BackendError if it isn't of this memory, or was freed. */
export function addressOf(name: string, memory: Addressed, buffer: Buffer): number {
  const { address, owner } = buffer as PlacedBuffer;
  if (owner !== memory) throw new BackendError({ where: name, problem: "a buffer of another backend" });
  return address < 0 ? refuseFreed(name) : address;
}

/** The memory half of the contract over one memory, in which elements take so many bytes. `check` throws where the backend can't be used any more. */
export function addressedMemory(
  name: string,
  memory: Addressed,
  check: () => void,
  bytesOf: (dtype: DType) => number = itemSize,
): Half {
  return {
    allocate(dtype, size): Buffer {
      check();
      return { dtype, size, owner: memory, address: memory.allocate(size * bytesOf(dtype)) } as PlacedBuffer;
    },
    write(buffer, data) {
      check();
      checkData(name, buffer, data);
      memory.write(addressOf(name, memory, buffer), data);
    },
    async read(buffer) {
      check();
      return memory.read(buffer.dtype, addressOf(name, memory, buffer), buffer.size);
    },
    free(buffer) {
      const address = addressOf(name, memory, buffer);
      (buffer as PlacedBuffer).address = -1;
      memory.free(address, buffer.size * bytesOf(buffer.dtype));
    },
  };
}
