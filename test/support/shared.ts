// For each test file that shares its process with others: it begins as in a process of its own, and one that leaves behind what the next would see fails.
import { afterAll, beforeAll, vi } from "vitest";
import { setDefaultBackend } from "../../src/index.ts";
import { allRecords } from "../../src/ops/define.ts";
import { families } from "../../src/train/config/families.ts";

/** Names of all that is registered. The whole library is imported above, so that nothing comes by an import. */
const registered = () => [
  ...allRecords().map(({ name }) => `op ${name}`),
  ...Object.entries(families).flatMap(([family, { names }]) => names.map((name) => `${family} ${name}`)),
];

let before: ReadonlySet<string>;
beforeAll(async () => {
  before = new Set(registered());
  await setDefaultBackend("wasm");
});

afterAll(() => {
  vi.unstubAllGlobals();
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
  vi.useRealTimers();
  const left = registered().filter((name) => !before.has(name));
  if (left.length > 0)
    throw new Error(`this file registers ${left.join(", ")}: it needs a process of its own, see vitest.config.ts`);
});
