// Modules that few programs need: refused where they aren't at hand, imported where somebody waits.
import { describe, expect, test } from "vitest";
import { BackendError } from "../../src/core/errors.ts";
import { importing, LazyModule } from "../../src/core/lazy.ts";

/** A lazy module, and how often it was imported. */
function counted<M>(module: M) {
  let imports = 0;
  const lazy = new LazyModule(async () => {
    imports++;
    return module;
  });
  return { lazy, imports: () => imports };
}

describe("a lazy module", () => {
  test("that isn't imported yet is an error that names it", () => {
    const { lazy, ...found } = counted({ one: 1 });
    expect(() => lazy.module).toThrow(BackendError);
    expect(() => lazy.module).toThrow(/^import: a module is asked for before it is imported: got .*imports\+\+/s);
    expect(found.imports()).toBe(0);
  });

  test("is imported once for who waits, whose work is done again", async () => {
    const [a, b] = [counted({ one: 1 }), counted({ two: 2 })];
    let begun = 0;
    const work = () => {
      begun++;
      return a.lazy.module.one + b.lazy.module.two;
    };
    expect(await importing(work)).toBe(3);
    expect(begun).toBe(3);
    expect(await importing(work)).toBe(3);
    expect([begun, a.imports(), b.imports()]).toEqual([4, 1, 1]);
  });

  test("that is given isn't imported", () => {
    const found = counted({ one: 1 });
    found.lazy.give({ one: 10 });
    expect(found.lazy.module.one).toBe(10);
    expect(found.imports()).toBe(0);
  });

  test("that can't be imported is an error with its cause, and is asked for again", async () => {
    const cause = new TypeError("Failed to fetch dynamically imported module: chunks/one.js");
    let isOnline = false;
    const lazy = new LazyModule(async () => {
      if (!isOnline) throw cause;
      return { one: 1 };
    });
    // Other files' tests bring all that there are.
    LazyModule.all.delete(lazy);
    const failed = await importing(() => lazy.module.one).catch((error) => error);
    expect(failed).toBeInstanceOf(BackendError);
    expect(failed.cause).toBe(cause);
    expect(failed.message).toMatch(
      /^import: a module of the engine can't be imported: got TypeError: .*one.js\nHint: a page/,
    );
    isOnline = true;
    expect(await importing(() => lazy.module.one)).toBe(1);
  });

  test("is had at once by all who wait for it", async () => {
    const { lazy, imports } = counted({ one: 1 });
    expect(await Promise.all([1, 2, 3].map((i) => importing(() => lazy.module.one + i)))).toEqual([2, 3, 4]);
    expect(imports()).toBeGreaterThan(0);
    expect(await importing(() => lazy.module)).toBe(lazy.module);
  });

  test("other errors of the work are the caller's", async () => {
    const work = () => {
      throw new RangeError("of its own");
    };
    await expect(importing(work)).rejects.toThrow(new RangeError("of its own"));
    const primitive = () => {
      throw "not an object";
    };
    await expect(importing(primitive)).rejects.toBe("not an object");
  });
});
