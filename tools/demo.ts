// Vite's config for the page that trains (src/page): `npm run demo` serves it, `npm run demo:build` writes it as static files that any server serves. Presets, and data
// sets from their packages, lie beside it: served from where they are, copied by the build. What isn't installed the page's reader gives.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { defineConfig, type Plugin, type PreviewServer, type ViteDevServer } from "vite";
import { dataFiles } from "../src/page/presets.ts";
import { theme } from "../src/report/html.ts";
import { sampleStyle } from "../src/report/samples.ts";

const root = fileURLToPath(new URL("../", import.meta.url));

/** Threads need shared memory, which browsers give to such pages alone. */
const headers = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
};

/** Files by where they are from the page. */
const beside = new Map([
  ...readdirSync(join(root, "src/presets"))
    .filter((name) => name.endsWith(".yaml"))
    .map((name) => [`presets/${name}`, join(root, "src/presets", name)] as const),
  ...Object.entries(dataFiles)
    .map(([path, url]) => [url, resolve(root, path.replace(/^node_modules\/seedgrad\//, ""))] as const)
    .filter(([, path]) => existsSync(path) || existsSync(`${path}.gz`)),
]);

/** A file's bytes; where it lies there gzipped, with `.gz`, those it unpacks to. */
const bytesOf = (path: string): Uint8Array =>
  existsSync(path) ? readFileSync(path) : gunzipSync(readFileSync(`${path}.gz`));

const files: Plugin = {
  name: "files-beside-the-page",
  configureServer(server: ViteDevServer | PreviewServer) {
    server.middlewares.use((request, response, next) => {
      const path = beside.get(request.url!.split("?")[0].slice(1));
      if (path === undefined) return next();
      response.setHeader("content-type", "application/octet-stream");
      response.end(bytesOf(path));
    });
  },
  generateBundle() {
    for (const [fileName, path] of beside) this.emitFile({ type: "asset", fileName, source: bytesOf(path) });
  },
};

/** The colours and forms of the reports are the page's too. */
const styles: Plugin = {
  name: "style-of-reports",
  transformIndexHtml: () => [{ tag: "style", children: theme + sampleStyle, injectTo: "head-prepend" }],
};

// biome-ignore lint/style/noDefaultExport: what Vite loads
export default defineConfig({
  root: join(root, "src/page"),
  // Any folder of a server will do.
  base: "./",
  cacheDir: join(root, "node_modules/.vite/demo"),
  plugins: [files, styles],
  // What the worker imports is prepared at the start too: found later, it would reload the page in the middle of a training.
  optimizeDeps: { entries: ["index.html", "../worker/worker-entry.ts"] },
  worker: { format: "es", rolldownOptions: { output: { keepNames: true } } },
  server: { headers },
  preview: { headers },
  build: {
    outDir: join(root, "dist/demo"),
    emptyOutDir: true,
    target: "es2022",
    // GPU.js alone is more than Vite's limit, and is loaded where a backend of it is chosen.
    chunkSizeWarningLimit: 700,
    rolldownOptions: { output: { keepNames: true } },
  },
});
