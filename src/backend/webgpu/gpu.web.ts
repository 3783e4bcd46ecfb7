// Where WebGPU comes from in a page or a worker of one: the browser's own.

/** The entry to WebGPU, or why there is none. */
export async function findGpu(): Promise<GPU | string> {
  return (
    globalThis.navigator?.gpu ?? "this browser has no WebGPU, or the page isn't served over https or from localhost"
  );
}

/** Waits for what a device does: a browser does that quietly. */
export const awaited = <T>(work: Promise<T>): Promise<T> => work;
