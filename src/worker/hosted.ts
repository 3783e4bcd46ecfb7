// Results on their way to the page: tensors as host arrays, whose memory goes over.

import { isRecord } from "../core/arguments.ts";
import type { HostArray } from "../core/array.ts";
import { ConfigError } from "../core/errors.ts";
import type { Tensor } from "../tensor/tensor.ts";

/** What was read of tensors: nobody else has its memory. */
const read = new WeakSet<HostArray>();

/** A value with the elements of every tensor in it, in lists and plain records, in the tensor's place. Throws ConfigError for a tensor in anything else, which would go over as an empty record. */
export async function onHost(value: unknown, kind: typeof Tensor): Promise<unknown> {
  if (value instanceof kind) {
    const { shape, dtype } = value;
    const array: HostArray = { data: await value.data(), shape, dtype };
    read.add(array);
    return array;
  }
  if (Array.isArray(value)) return Promise.all(value.map((item) => onHost(item, kind)));
  if (!isPlain(value)) {
    if (!holdsTensor(value, kind)) return value;
    throw new ConfigError({
      where: "worker",
      problem: "a tensor of the result is in what can't go to another thread with it",
      got: (value as object).constructor.name,
      expected: "tensors in lists and plain records",
      hint: "give a Map as Object.fromEntries(map), and of a class the tensors by their names: { weight: layer.weight }",
    });
  }
  const fields = Object.entries(value).map(async ([key, item]) => [key, await onHost(item, kind)] as const);
  return Object.fromEntries(await Promise.all(fields));
}

/** Whether a tensor is in a Map, a Set or the fields of a class, however deep. */
function holdsTensor(value: unknown, kind: typeof Tensor, seen = new Set<unknown>()): boolean {
  if (value instanceof kind) return true;
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value) || seen.has(value)) return false;
  seen.add(value);
  const within = value instanceof Map || value instanceof Set ? [...value].flat() : Object.values(value);
  return within.some((each) => holdsTensor(each, kind, seen));
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
