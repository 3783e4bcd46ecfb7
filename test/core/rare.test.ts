// Modules that few programs need: refused where they aren't at hand, imported where somebody waits.
import { describe, expect, test } from "vitest";
import { BackendError } from "../../src/core/errors.ts";
import { Rare, withRare } from "../../src/core/rare.ts";

/** A rare module, and how often it was imported. */
function counted<M>(module: M) {
  let imports = 0;
  const rare = new Rare("things", async () => {
    imports++;
    return module;
  });
  return { rare, imports: () => imports };
}

describe("a rare module", () => {
  test("that isn't imported yet is an error that names it", () => {
    const { rare, ...found } = counted({ one: 1 });
    expect(() => rare.module).toThrow(BackendError);
    expect(() => rare.module).toThrow(/^things: asked for before it is imported/);
    expect(found.imports()).toBe(0);
  });

  test("is imported once for who waits, whose work is done again", async () => {
    const [a, b] = [counted({ one: 1 }), counted({ two: 2 })];
    let begun = 0;
    const work = () => {
      begun++;
      return a.rare.module.one + b.rare.module.two;
    };
    expect(await withRare(work)).toBe(3);
    expect(begun).toBe(3);
    expect(await withRare(work)).toBe(3);
    expect([begun, a.imports(), b.imports()]).toEqual([4, 1, 1]);
  });

  test("that is given isn't imported", () => {
    const found = counted({ one: 1 });
    found.rare.give({ one: 10 });
    expect(found.rare.module.one).toBe(10);
    expect(found.imports()).toBe(0);
  });

  test("other errors of the work, and of the import, are the caller's", async () => {
    const work = () => {
      throw new RangeError("of its own");
    };
    await expect(withRare(work)).rejects.toThrow(new RangeError("of its own"));
    const lost = new Rare<{ one: number }>("things", () => Promise.reject(new Error("no such file")));
    await expect(withRare(() => lost.module.one)).rejects.toThrow("no such file");
    const primitive = () => {
      throw "not an object";
    };
    await expect(withRare(primitive)).rejects.toBe("not an object");
  });
});
