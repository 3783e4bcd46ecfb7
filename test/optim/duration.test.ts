// Durations: what they are in steps of a run, and what is none.
import { expect, test } from "vitest";
import { type Duration, duration, firstRelative, isRelative, resolved, stepsOf } from "../../src/optim/duration.ts";

const length = { stepsPerEpoch: 937, totalSteps: 2811 };

test.each<[Duration, number]>([
  [500, 500],
  ["2ep", 1874],
  ["0.5ep", 469],
  ["1dur", 2811],
  ["0.1dur", 281],
  ["0.0001dur", 1],
  ["1.5ep", 1406],
])("%s is %i steps", (given, steps) => expect(stepsOf(given, length)).toBe(steps));

test.each(["0ep", "0.0dur", "ep", "-1ep", "1 ep", "1e3ep", "2epochs", ".5dur", "", "500", 0, 1.5, Number.NaN, 2 ** 53])(
  "%s is none",
  (given) => {
    expect(duration.accepts(given)).toBe(false);
    expect(isRelative(given)).toBe(false);
  },
);

test("in records and lists, and what resolves itself", () => {
  const part = Object.assign(() => 0, {
    relative: "2ep",
    resolve: ({ totalSteps }: { totalSteps: number }) => totalSteps,
  });
  expect(resolved({ a: "2ep", b: [1, "0.1dur", "text"], c: part }, length)).toEqual({
    a: 1874,
    b: [1, 281, "text"],
    c: 2811,
  });
  expect(firstRelative({ a: 1, b: [part] })).toBe("2ep");
  expect(firstRelative({ a: 1, b: "text", c: null })).toBeUndefined();
});
