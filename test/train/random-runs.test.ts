// A few of npm run test:runs' random runs: what it proves, on a sample.
import { expect, test } from "vitest";
import { writeData } from "../support/configs.ts";
import { temporaryFolder } from "../support/folder.ts";
import { checkRun } from "../support/random-runs.ts";

test.each([10, 25])("random run %d", async (seed) => {
  const folder = temporaryFolder();
  writeData(folder);
  const numbers = Array.from({ length: 120 }, (_, i) => (i * 7919 * seed + seed) % 5003);
  expect(await checkRun(numbers, folder)).toBe("holds");
});
