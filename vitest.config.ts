import { defineConfig } from "vitest/config";

// biome-ignore lint/style/noDefaultExport: what vitest loads
export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    pool: "forks",
    testTimeout: 30_000,
    hookTimeout: 30_000,
  },
});
