// Types for pngjs 7.0.0, which ships none: only what is used of it.
declare module "pngjs" {
  interface Png {
    readonly width: number;
    readonly height: number;
    /** Red, green, blue and alpha of each pixel, row by row. */
    readonly data: Uint8Array;
  }
  export const PNG: {
    readonly sync: {
      read(bytes: Uint8Array): Png;
      write(image: Png, options?: Readonly<Record<string, unknown>>): Uint8Array;
    };
  };
}
