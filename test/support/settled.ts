// For every test file: its end waits for what is still being imported, such as a default backend that nobody awaited, and its folders go.
import "./equality.ts";
import { afterAll, vi } from "vitest";
import { removeScratch } from "./folder.ts";

afterAll(async () => {
  await vi.dynamicImportSettled();
  removeScratch();
});
