// Results on their way to the page: tensors as host arrays, whose memory goes over.

import { isRecord } from "../core/arguments.ts";
import type { HostArray } from "../core/array.ts";
import type { Tensor } from "../tensor/tensor.ts";

/** What was read of tensors: nobody else has its memory. */
const read = new WeakSet<HostArray>();

/** A value with the elements of every tensor in it, in lists and plain records, in the tensor's place. */
export async function onHost(value: unknown, kind: typeof Tensor): Promise<unknown> {
  if (value instanceof kind) {
    const { shape, dtype } = value;
    const array: HostArray = { data: await value.data(), shape, dtype };
    read.add(array);
    return array;
  }
  if (Array.isArray(value)) return Promise.all(value.map((item) => onHost(item, kind)));
  if (!isPlain(value)) return value;
  const fields = Object.entries(value).map(async ([key, item]) => [key, await onHost(item, kind)] as const);
  return Object.fromEntries(await Promise.all(fields));
}

/** The memory that goes with a value from `onHost`. */
export function buffersOf(value: unknown): ArrayBuffer[] {
  if (typeof value !== "object" || value === null) return [];
  if (read.has(value as HostArray)) return [(value as HostArray).data.buffer as ArrayBuffer];
  if (!Array.isArray(value) && !isPlain(value)) return [];
  return [...new Set(Object.values(value).flatMap(buffersOf))];
}

function isPlain(value: unknown): value is Readonly<Record<string, unknown>> {
  return isRecord(value) && [Object.prototype, null].includes(Object.getPrototypeOf(value));
}
