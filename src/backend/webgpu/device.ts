// A WebGPU device: where it comes from, what it allows, and what went wrong on it. Nothing is imported or asked for before one is opened.
import { findGpu } from "#gpu";
import { BackendError, refuse } from "../../core/errors.ts";

/** Flags of WebGPU, which Node's globals lack. */
export const usage = { mapRead: 1, copySource: 4, copyTarget: 8, uniform: 64, storage: 128 } as const;
export const mapForReading = 1;
export const computeStage = 4;

/** An open device. */
export interface Device {
  readonly gpu: GPUDevice;
  /** Who made it and what it is, as far as the adapter says: for manifests and people. */
  readonly name: string;
  /** Throws BackendError where the device was lost, or refused what it was given since it was opened. */
  check(): void;
  close(): void;
}

/** The limits that are raised as far as the adapter goes. */
const raised = ["maxStorageBufferBindingSize", "maxBufferSize", "maxComputeWorkgroupStorageSize"] as const;

/** WebGPU's adapter that promises the most. Throws BackendError where there is none. */
export async function findAdapter(find: () => Promise<GPU | string> = findGpu): Promise<GPUAdapter> {
  const gpu = await find();
  if (typeof gpu === "string")
    throw new BackendError({ where: "webgpu", problem: "there is no WebGPU here", got: gpu, hint: elsewhere });
  const adapter = await gpu.requestAdapter({ powerPreference: "high-performance" });
  if (!adapter)
    throw new BackendError({
      where: "webgpu",
      problem: "WebGPU finds no adapter",
      hint: `a graphics driver, on Linux one for Vulkan and its loader (libvulkan1), also one in software that VK_ICD_FILENAMES names; ${elsewhere}`,
    });
  return adapter;
}

/** Opens a device of the adapter that promises the most. Throws BackendError where there is no WebGPU, no adapter, or no device. */
export async function openDevice(find?: () => Promise<GPU | string>): Promise<Device> {
  const adapter = await findAdapter(find);
  const requiredLimits = Object.fromEntries(raised.map((name) => [name, adapter.limits[name]]));
  try {
    return new OpenDevice(await adapter.requestDevice({ requiredLimits }), adapterName(adapter.info));
  } catch (cause) {
    throw new BackendError({ where: "webgpu", problem: "the adapter gives no device", got: said(cause), cause });
  }
}

const elsewhere = "the backend wasm gives the same bits everywhere";

const said = (cause: unknown) => (cause instanceof Error ? cause.message : String(cause));

/** What a manifest calls a device. */
export function adapterName({ vendor, architecture, device, description }: GPUAdapterInfo): string {
  const parts = [vendor, architecture, device, description].filter(Boolean);
  return parts.length > 0 ? [...new Set(parts)].join(" ") : "an adapter without a name";
}

class OpenDevice implements Device {
  readonly gpu: GPUDevice;
  readonly name: string;
  #failure: string | undefined;
  #isClosed = false;

  constructor(gpu: GPUDevice, name: string) {
    this.gpu = gpu;
    this.name = name;
    gpu.addEventListener("uncapturederror", (event) => {
      event.preventDefault();
      this.#failure ??= event.error.message;
    });
    void gpu.lost.then(({ message }) => {
      if (!this.#isClosed) this.#failure ??= `the device was lost: ${message}`;
    });
  }

  check(): void {
    if (this.#isClosed) throw new BackendError({ where: "webgpu", problem: "the device was used after it was closed" });
    if (this.#failure === undefined) return;
    const problem = "the device failed, and what it was to write can't be relied on";
    refuse(BackendError, "webgpu", problem, this.#failure, undefined, "load the last checkpoint");
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.gpu.destroy();
  }
}
