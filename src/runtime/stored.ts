// A value in a backend's memory.
import type { Backend, Buffer } from "../compile/contract.ts";
import type { TypedArray } from "../core/dtype.ts";

/** A value in a backend's memory. */
export interface Stored {
  readonly backend: Backend;
  readonly buffer: Buffer;
  /** What owns the memory, when that isn't the node. */
  readonly keeps?: object;
}

/** The value moved to a backend: itself where it is there already. */
export async function moveTo(backend: Backend, stored: Stored): Promise<Stored> {
  if (stored.backend === backend) return stored;
  return store(backend, await stored.backend.read(stored.buffer), stored.buffer.dtype);
}

/** Puts host data into the backend's memory. */
export function store(backend: Backend, data: TypedArray, dtype: Buffer["dtype"]): Stored {
  const buffer = backend.allocate(dtype, data.length);
  try {
    backend.write(buffer, data);
  } catch (error) {
    backend.free(buffer);
    throw error;
  }
  return { backend, buffer };
}
