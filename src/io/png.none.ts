// Images where pngjs can't run (a browser): a typed error.
import { DataError } from "../core/errors.ts";
import type { Png } from "./png.node.ts";

export type { Png };

/** Throws. */
export function decodePng(where: string, _bytes: Uint8Array): Png {
  throw new DataError({
    where,
    problem: "PNG images aren't decoded here",
    expected: "Node, Bun or Deno",
    hint: "in a browser, draw the image on a canvas and take its pixels",
  });
}
