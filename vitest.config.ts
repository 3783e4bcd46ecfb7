import { defineConfig } from "vitest/config";

// biome-ignore lint/style/noDefaultExport: what vitest loads
export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    pool: "forks",
    maxWorkers: 2,
    globalSetup: ["test/support/built.ts"],
    setupFiles: ["test/support/settled.ts"],
    // A hang ends some time; a busy machine is no failure.
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
