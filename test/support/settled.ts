// For every test file: its end waits for what is still being imported, such as a default backend that nobody awaited.
import { afterAll, vi } from "vitest";

afterAll(() => vi.dynamicImportSettled());
