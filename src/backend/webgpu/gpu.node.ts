// Where WebGPU comes from in Node: the npm package webgpu, an optional peer that is imported when a device is asked for; engines that have their own use that.

/** What is used of the package webgpu. */
interface WebgpuPackage {
  create(options: readonly string[]): GPU;
}

/** Hidden from bundlers and from the compiler's search for types, whose names are lib DOM's here. */
const packageName: string = "webgpu";

/** Of the process, and kept: devices of one that is collected take the process with them. */
let created: GPU | undefined;

/** The entry to WebGPU, or why there is none. */
export async function findGpu(load?: () => Promise<WebgpuPackage>): Promise<GPU | string> {
  const own = (globalThis.navigator as { gpu?: GPU } | undefined)?.gpu;
  if (own) return own;
  try {
    if (load) return (await load()).create([]);
    created ??= ((await import(packageName)) as WebgpuPackage).create([]);
    return created;
  } catch (cause) {
    return `the npm package webgpu can't be loaded (npm install webgpu@0.6.2): ${cause instanceof Error ? cause.message : String(cause)}`;
  }
}

let waiting = 0;
let turns = 0;
let isResting = false;
const never = new Int32Array(new SharedArrayBuffer(4));

function rest(): void {
  isResting = waiting > 0;
  if (!isResting) return;
  Atomics.wait(never, 0, 0, Math.min(1, turns++ / 100));
  setImmediate(rest);
}

/**
 * Waits for what a device does. The package asks for it in every turn of the event loop, which keeps a processor busy that a driver in software could have: so each turn rests, the
 * longer the more of them there were, and at most a millisecond.
 */
export async function awaited<T>(work: Promise<T>): Promise<T> {
  if (created === undefined) return work;
  if (waiting++ === 0) turns = 0;
  if (!isResting) setImmediate(rest);
  isResting = true;
  try {
    return await work;
  } finally {
    waiting--;
  }
}
