// Errors that went to another thread as data: the same class, the same fields, and text that can be cloned.
import { expect, test } from "vitest";
import * as errors from "../../src/core/errors.ts";
import { errorOf, failureOf } from "../../src/worker/failures.ts";

const sent = (error: unknown): Error => errorOf(structuredClone(failureOf(error)));
const details = { where: "a place", problem: "it is wrong", got: "this", expected: "that", hint: "do so" };

test("each class comes out as itself, with its fields, message and stack", () => {
  const classes = Object.values(errors).filter(
    (value) => typeof value === "function" && value.prototype instanceof errors.SeedgradError,
  );
  expect(Object.values(errors.errorClasses).sort()).toEqual([errors.SeedgradError, ...classes].sort());
  const position = { file: "a.yaml", line: 3, column: 5 };
  for (const [name, Class] of Object.entries(errors.errorClasses)) {
    const extra =
      name === "ConfigError" ? { position } : name === "InterruptedError" ? { step: 7, checkpoint: "c" } : {};
    const error = new (Class as new (details: object) => errors.SeedgradError)({ ...details, ...extra });
    const copy = sent(error);
    expect(copy).toBeInstanceOf(Class);
    expect(copy.constructor).toBe(Class);
    expect([copy.name, copy.message, copy.stack]).toEqual([name, error.message, error.stack]);
    expect({ ...copy }).toEqual({ ...error });
    expect(Object.keys(copy).sort()).toEqual(Object.keys(error).sort());
  }
});

test("causes go with them, and so does what isn't ours", () => {
  const copy = sent(new errors.DataError({ ...details, cause: new TypeError("inner", { cause: "a text" }) }));
  expect(copy.cause).toBeInstanceOf(TypeError);
  expect((copy.cause as Error).message).toBe("inner");
  expect(((copy.cause as Error).cause as Error).message).toBe("a text");
  class Own extends errors.ShapeError {}
  expect(sent(new Own(details))).toMatchObject({ name: "Own", where: "a place" });
  expect(sent(new Own(details))).toBeInstanceOf(errors.SeedgradError);
  expect(sent(undefined)).toMatchObject({ name: "Error", message: "undefined" });
  const endless = new Error("endless");
  endless.cause = endless;
  expect(sent(endless).message).toBe("endless");
});
