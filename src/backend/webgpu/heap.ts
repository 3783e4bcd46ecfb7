// The backend's memory on a device: one buffer of words and who has which of them. Every element takes a word, a bool too. It grows by a copy to a larger
// buffer, and what is in it stays where it is.
import { awaited } from "#gpu";
import { type DType, makeArray, type TypedArray } from "../../core/dtype.ts";
import { BackendError, refuse } from "../../core/errors.ts";
import { align } from "../../schedule/places.ts";
import { Blocks } from "../blocks.ts";
import { type Device, mapForReading, usage } from "./device.ts";

const firstBytes = 1 << 20;

export class Heap extends Blocks {
  readonly #device: Device;
  readonly #limit: number;
  #buffer: GPUBuffer;

  constructor(device: Device) {
    super();
    this.#device = device;
    const { maxStorageBufferBindingSize, maxBufferSize } = device.gpu.limits;
    this.#limit = Math.min(maxStorageBufferBindingSize, maxBufferSize, 2 ** 32 - 256);
    this.#buffer = this.#make(firstBytes);
    this.free(0, firstBytes);
  }

  /** All of it; another one after it has grown. */
  get buffer(): GPUBuffer {
    return this.#buffer;
  }

  #make(size: number): GPUBuffer {
    return this.#device.gpu.createBuffer({ size, usage: usage.storage | usage.copySource | usage.copyTarget });
  }

  protected clear(address: number, bytes: number): void {
    this.#submit((encoder) => encoder.clearBuffer(this.#buffer, address, bytes));
  }

  /** More room than is asked for, so that growing is rare. */
  protected grow(size: number): void {
    const end = this.#buffer.size;
    const needed = end + size - this.tail(end);
    if (needed > this.#limit) {
      const expected = `at most ${this.#limit} bytes in all, the largest buffer that the device binds`;
      const hint = "a smaller batch, or accumulate gradients over several";
      refuse(BackendError, "webgpu", "out of memory", `${size} bytes more than the ${end} there are`, expected, hint);
    }
    const old = this.#buffer;
    this.#buffer = this.#make(Math.min(this.#limit - (this.#limit % 256), Math.max(align(needed), 2 * end)));
    this.#submit((encoder) => encoder.copyBufferToBuffer(old, 0, this.#buffer, 0, end));
    old.destroy();
    this.free(end, this.#buffer.size - end);
  }

  #submit(encode: (encoder: GPUCommandEncoder) => void): void {
    const encoder = this.#device.gpu.createCommandEncoder();
    encode(encoder);
    this.#device.gpu.queue.submit([encoder.finish()]);
  }

  /** Copies elements in. */
  write(address: number, data: TypedArray): void {
    if (data.length === 0) return;
    const words = data.BYTES_PER_ELEMENT === 4 ? data : Uint32Array.from(data);
    this.#device.gpu.queue.writeBuffer(this.#buffer, address, words as BufferSource);
  }

  /** Copies elements out, once all that was asked of the device before is done. */
  async read(dtype: DType, address: number, size: number): Promise<TypedArray> {
    if (size === 0) return makeArray(dtype, 0);
    return elementsOf(dtype, await readWords(this.#device, this.#buffer, address, size));
  }
}

function elementsOf(dtype: DType, words: ArrayBuffer): TypedArray {
  if (dtype === "bool") return Uint8Array.from(new Uint32Array(words));
  return makeArray(dtype, words.byteLength / 4, words);
}

/** `count` words of a buffer. Throws BackendError where the device failed. */
export async function readWords(device: Device, from: GPUBuffer, address: number, count: number): Promise<ArrayBuffer> {
  const { gpu } = device;
  const staging = gpu.createBuffer({ size: 4 * count, usage: usage.mapRead | usage.copyTarget });
  const encoder = gpu.createCommandEncoder();
  encoder.copyBufferToBuffer(from, address, staging, 0, 4 * count);
  gpu.queue.submit([encoder.finish()]);
  try {
    await awaited(staging.mapAsync(mapForReading));
  } catch (cause) {
    device.check();
    throw new BackendError({ where: "webgpu", problem: "a buffer can't be read", got: String(cause), cause });
  }
  const words = staging.getMappedRange().slice(0);
  staging.unmap();
  staging.destroy();
  device.check();
  return words;
}
