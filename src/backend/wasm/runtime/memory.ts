// The backend's memory: one growing WebAssembly.Memory and who has which bytes of it. WebAssembly's memory is little-endian whatever the
// host is, so a host that isn't copies element by element.
import { type DType, dtypeOf, itemSize, makeArray, type TypedArray } from "../../../core/dtype.ts";
import { BackendError, refuse } from "../../../core/errors.ts";
import { Blocks } from "../../blocks.ts";

const pageBytes = 65536;
/** Never given out, at the end of all: elements beside what is inside bounds may be read. */
const guardBytes = 64;
/** Pages that 32-bit addresses reach. */
export const maximumPages = 65536;

const hostIsLittleEndian = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

/** Blocks of one WebAssembly.Memory. */
export class Memory extends Blocks {
  readonly memory: WebAssembly.Memory;
  readonly shared: boolean;
  #view: DataView;

  /** Throws BackendError where shared memory was asked for and there is none. */
  constructor({ shared }: { shared: boolean }) {
    super();
    this.shared = shared;
    this.memory = shared
      ? new WebAssembly.Memory({ initial: 1, maximum: maximumPages, shared: true })
      : new WebAssembly.Memory({ initial: 1 });
    this.#view = new DataView(this.memory.buffer);
    // Address 0 is never given out.
    this.free(pageBytes / 2, pageBytes / 2 - guardBytes);
  }

  /** Little-endian access to all of it; don't keep it, since growing makes a new one. */
  get view(): DataView {
    if (this.#view.buffer !== this.memory.buffer) this.#view = new DataView(this.memory.buffer);
    return this.#view;
  }

  protected clear(address: number, bytes: number): void {
    // In shared memory V8 fills element by element: the fewer and larger, the faster.
    new Float64Array(this.memory.buffer, address, bytes / 8).fill(0);
  }

  /** More room than is asked for, so that growing is rare. */
  protected grow(size: number): void {
    const end = this.memory.buffer.byteLength - guardBytes;
    const needed = Math.ceil((size - this.tail(end)) / pageBytes);
    const generous = Math.max(needed, Math.min(256, Math.ceil(end / pageBytes / 4)));
    const added = [generous, needed].find((pages) => {
      try {
        this.memory.grow(pages);
        return true;
      } catch {
        return false;
      }
    });
    if (added === undefined) {
      const expected = "at most 4 GiB in all";
      const hint = "a smaller batch, or accumulate gradients over several";
      refuse(BackendError, "wasm", "out of memory", `${size} bytes more than the ${end} there are`, expected, hint);
    }
    this.free(end, added * pageBytes);
  }

  /** Copies elements in. */
  write(address: number, data: TypedArray): void {
    if (hostIsLittleEndian || data.BYTES_PER_ELEMENT === 1) {
      makeArray(dtypeOf(data), data.length, this.memory.buffer, address).set(data);
      return;
    }
    const words = new Uint32Array(data.buffer, data.byteOffset, data.length);
    words.forEach((word, i) => this.view.setUint32(address + 4 * i, word, true));
  }

  /** Copies elements out. */
  read(dtype: DType, address: number, size: number): TypedArray {
    if (hostIsLittleEndian || itemSize(dtype) === 1) return makeArray(dtype, size, this.memory.buffer, address).slice();
    const words = Uint32Array.from({ length: size }, (_, i) => this.view.getUint32(address + 4 * i, true));
    return makeArray(dtype, size, words.buffer);
  }
}
