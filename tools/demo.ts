// Vite's config for the page that trains (src/page): `npm run demo` serves it, `npm run demo:build` writes it as static files that any server serves. Presets, and data
// sets from their packages, lie beside it: served from where they are, copied by the build. What isn't installed the page's reader gives.
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { defineConfig, type Plugin, type PreviewServer, type ViteDevServer } from "vite";
import { theme } from "../src/report/html.ts";
import { sampleStyle } from "../src/report/samples.ts";
import { beside, besideBytes } from "./beside.ts";

const root = fileURLToPath(new URL("../", import.meta.url));

/** Threads need shared memory, which browsers give to such pages alone. */
const headers = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
};

const files: Plugin = {
  name: "files-beside-the-page",
  configureServer(server: ViteDevServer | PreviewServer) {
    server.middlewares.use((request, response, next) => {
      const bytes = besideBytes(request.url!.split("?")[0].slice(1));
      if (bytes === undefined) return next();
      response.setHeader("content-type", "application/octet-stream");
      response.end(bytes);
    });
  },
  generateBundle() {
    for (const fileName of beside) this.emitFile({ type: "asset", fileName, source: besideBytes(fileName)! });
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
