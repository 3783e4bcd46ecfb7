import { defineConfig } from "vitest/config";
import { fromLibrary, inSources, isBuilt } from "./test/support/library.ts";

const common = {
  pool: "forks" as const,
  // A hang ends some time; a busy machine is no failure.
  testTimeout: 120_000,
  hookTimeout: 120_000,
  server: { deps: { external: [isBuilt] } },
};

const setupFiles = ["test/support/lazy.ts", "test/support/settled.ts"];

/** Test files that have a process each: those that measure their own or end it, replace modules, register what stays, collect garbage time and again, or count the ops that they import. */
const alone = [
  "test/{browser,conformance,engines,runtime,worker}/**/*.test.ts",
  "test/autograd/gradients.test.ts",
  "test/backend/{certificate,gpujs*,refused,webgpu/*}.test.ts",
  "test/backend/wasm/{death,left,programs,threads,workspace}.test.ts",
  "test/bench/{harness,node}.test.ts",
  "test/cli/{emit,fit,imports,inspect,phases,presets,signals,sweep}.test.ts",
  "test/compile/cache.test.ts",
  "test/data/missing.test.ts",
  "test/docs/{optimizers,sweep}.test.ts",
  "test/laws/{arguments,kill,laws,runs}.test.ts",
  "test/nn/measures.test.ts",
  "test/ops/throwaway.test.ts",
  "test/program/{steady,versions}.test.ts",
  "test/rng/stream.test.ts",
  "test/run/{crash,lock}.test.ts",
  "test/sweep/{job,queue}.test.ts",
  "test/train/{certificate,optimizers,promises,register,things}.test.ts",
  "test/verify/tampered.test.ts",
];

/** Files that replace modules of the library, import programs that import its sources, or read lines of these where an error or a node was made. */
const ofSources = [
  "test/backend/wasm/death.test.ts",
  "test/cli/{imports,inspect,phases}.test.ts",
  "test/compile/cache.test.ts",
  "test/data/missing.test.ts",
  "test/rng/stream.test.ts",
  "test/sweep/job.test.ts",
  "test/verify/diff.test.ts",
];

// biome-ignore lint/style/noDefaultExport: what vitest loads
export default defineConfig({
  test: {
    maxWorkers: 2,
    globalSetup: ["test/support/built.ts"],
    onStackTrace: inSources,
    projects: [
      {
        plugins: [fromLibrary],
        test: { ...common, name: "alone", include: alone, exclude: ofSources, setupFiles },
      },
      {
        test: { ...common, name: "sources", include: ofSources, setupFiles },
      },
      {
        plugins: [fromLibrary],
        test: {
          ...common,
          name: "shared",
          include: ["test/**/*.test.ts"],
          exclude: [...alone, ...ofSources],
          // The library is imported, and made fast by the engine, once a worker instead of once a file.
          isolate: false,
          sequence: { groupOrder: 1 },
          setupFiles: ["test/support/shared.ts", ...setupFiles],
        },
      },
    ],
  },
});
