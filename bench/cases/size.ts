// What a page loads, gzipped: the modules as they are published, and a bundle of a page with a small model.
import { bundle, type Chunk, entries, fileOf, gzippedSize, loadedWith, onWasm } from "../../tools/bundle.ts";
import type { Case } from "../harness.ts";

/** Entries that a page imports beside core. */
const parts = /^(losses|metrics|nn|ops\/\w+|optim|transforms)$/;

const published = () => bundle();
const smallModel = () => bundle({ page: "bench/pages/small-model.ts" });

function size(
  name: string,
  about: string,
  make: () => Promise<readonly Chunk[]>,
  entry: string,
  later: readonly string[] = [],
  /** An entry that is loaded already. */
  after?: string,
): Case {
  return {
    name,
    about,
    unit: "kB",
    rounds: 1,
    calls: 1,
    warmup: 1,
    place: "host",
    async prepare() {
      const chunks = await make();
      const files = [`${entry}.js`, ...later.map((source) => fileOf(chunks, source))];
      const before = after === undefined ? [] : loadedWith(chunks, [`${after}.js`]);
      const kB = gzippedSize(loadedWith(chunks, files).filter((chunk) => !before.includes(chunk))) / 1000;
      return { time: async () => kB, bits: () => "" };
    },
  };
}

/** Sizes in kB stand in place of times: less is better. */
export const cases: readonly Case[] = [
  size("size-page", "a page with a small model, bundled: what it loads at first", smallModel, "page"),
  size("size-page-wasm", "the same page once it has trained on wasm", smallModel, "page", onWasm),
  size("size-core-wasm", "dist/esm/core.js once a graph has run on wasm", published, "core", onWasm),
  ...Object.keys(entries).map((entry) => {
    const name = `size-${entry.replace("/", "-")}`;
    return parts.test(entry)
      ? size(name, `what dist/esm/${entry}.js adds to core.js`, published, entry, [], "core")
      : size(name, `dist/esm/${entry}.js and what it imports at once`, published, entry);
  }),
];
