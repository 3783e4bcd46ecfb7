// Shaders that a device has compiled: one for each source, made once.
import { awaited } from "#gpu";
import { BackendError } from "../../core/errors.ts";
import { remembered } from "../../core/remembered.ts";
import { computeStage, type Device } from "./device.ts";

export class Pipelines {
  readonly #gpu: GPUDevice;
  readonly #made = new Map<string, Promise<GPUComputePipeline>>();
  /** The heap, the words of a dispatch, and what went wrong. */
  readonly layout: GPUBindGroupLayout;
  readonly #layout: GPUPipelineLayout;

  constructor({ gpu }: Device) {
    this.#gpu = gpu;
    const buffer = (binding: number, options: GPUBufferBindingLayout): GPUBindGroupLayoutEntry => ({
      binding,
      visibility: computeStage,
      buffer: options,
    });
    this.layout = gpu.createBindGroupLayout({
      entries: [
        buffer(0, { type: "storage" }),
        buffer(1, { type: "uniform", hasDynamicOffset: true }),
        buffer(2, { type: "storage" }),
      ],
    });
    this.#layout = gpu.createPipelineLayout({ bindGroupLayouts: [this.layout] });
  }

  /** The pipeline of a source. Rejects with BackendError where the device refuses it. */
  get(source: string): Promise<GPUComputePipeline> {
    return remembered(this.#made, source, () => this.#make(source));
  }

  async #make(code: string): Promise<GPUComputePipeline> {
    try {
      const module = this.#gpu.createShaderModule({ code });
      const compute = { module, entryPoint: "main" };
      return await awaited(this.#gpu.createComputePipelineAsync({ layout: this.#layout, compute }));
    } catch (cause) {
      throw new BackendError({
        where: "webgpu",
        problem: "the device refuses a shader",
        got: cause instanceof Error ? cause.message : String(cause),
        hint: "a bug of this package, or of the device's driver: please report it",
        cause,
      });
    }
  }
}
