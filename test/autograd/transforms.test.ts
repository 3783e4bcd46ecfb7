// Transforms of functions inside each other: random chains of them, beside what each means written out.
import fc from "fast-check";
import { beforeAll, expect, test } from "vitest";
import { setDefaultBackend } from "../../src/index.ts";
import { choices } from "../support/programs.ts";
import { checkTransforms } from "../support/transforms.ts";

beforeAll(() => setDefaultBackend("reference"));

test("chains of transforms come to what they mean written out, and to their differences; eager and compiled", async () => {
  const checked: string[] = [];
  await fc.assert(
    fc.asyncProperty(choices, async (numbers) => {
      checked.push(...(await checkTransforms(numbers)));
    }),
    { numRuns: 36, seed: 3 },
  );
  expect(checked.length).toBeGreaterThan(64);
});
