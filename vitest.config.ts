import { defineConfig } from "vitest/config";

const common = {
  pool: "forks",
  // A hang ends some time; a busy machine is no failure.
  testTimeout: 120_000,
  hookTimeout: 120_000,
} as const;

/**
 * Test files that have a process each: those that start others or measure their own, replace modules, register what stays, count the ops that they import, watch this process's own output,
 * or import a module of test/support with hooks of its own, which only the first file to import it would have.
 */
const alone = [
  "test/{backend,bench,browser,cli,conformance,docs,engines,laws,run,runtime,sweep,worker}/**/*.test.ts",
  "test/autograd/gradients.test.ts",
  "test/compile/cache.test.ts",
  "test/core/hash.test.ts",
  "test/data/{missing,tables}.test.ts",
  "test/io/{files,records}.test.ts",
  "test/nn/measures.test.ts",
  "test/ops/throwaway.test.ts",
  "test/program/{steady,versions}.test.ts",
  "test/rng/stream.test.ts",
  "test/tensor/families.test.ts",
  "test/train/{columns,feed,given,loggers,optimizers,promises,register,resume,things}.test.ts",
  "test/verify/{tampered,untouched}.test.ts",
];

// biome-ignore lint/style/noDefaultExport: what vitest loads
export default defineConfig({
  test: {
    maxWorkers: 2,
    globalSetup: ["test/support/built.ts"],
    projects: [
      {
        test: {
          ...common,
          name: "alone",
          include: alone,
          setupFiles: ["test/support/settled.ts"],
        },
      },
      {
        test: {
          ...common,
          name: "shared",
          include: ["test/**/*.test.ts"],
          exclude: alone,
          // The library is imported, and made fast by the engine, once a worker instead of once a file.
          isolate: false,
          sequence: { groupOrder: 1 },
          setupFiles: ["test/support/shared.ts", "test/support/settled.ts"],
        },
      },
    ],
  },
});
