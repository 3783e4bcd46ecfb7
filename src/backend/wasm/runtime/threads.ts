// All that a backend of several threads needs: imported where there are several.
export { phasePrinter } from "./chunks.ts";
export { Pool, threadCount } from "./pool.ts";
