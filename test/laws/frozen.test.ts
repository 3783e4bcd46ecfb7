// What a release froze under its numerics id: presets' digests and graphs, every elementary function's blocks, what each op means, words of the stream. New things may come beside
// them; one that moves needs a new id, and a new list under it.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { numericsId } from "../../src/core/numerics.ts";
// What every op is, is known once all are imported.
import "../../src/index.ts";
import { allRecords } from "../../src/ops/define.ts";
import { fillWords } from "../../src/rng/draws.ts";
import { root } from "../support/sources.ts";

const read = (path: string) => JSON.parse(readFileSync(`${root}${path}`, "utf8"));
const short = (value: unknown) => createHash("sha256").update(JSON.stringify(value)).digest("hex").slice(0, 16);
const all = <T>(record: Readonly<Record<string, T>>, of: (value: T) => unknown) =>
  Object.fromEntries(Object.entries(record).map(([name, value]) => [name, of(value)]));

/** The same as it is now, in the form of frozen.json. */
function now() {
  const words = new Uint32Array(1000);
  fillWords(1234n, 2n ** 41n, words);
  return {
    digests: all(read("src/presets/digests.json"), ({ digest }: { digest: string }) => digest),
    graphs: all(read("src/presets/digests.json"), ({ graphHash }: { graphHash: string }) => graphHash),
    functions: all(read("test/golden/elementary.json"), ({ blocks }: { blocks: unknown }) => short(blocks)),
    // What an elementwise op means is its expression, which the graphs' hashes hold.
    ops: Object.fromEntries(allRecords().flatMap((op) => (op.kind === "elementwise" ? [] : [[op.name, op.version]]))),
    stream: { "1000 words of seed 1234 from 2^41": short([...words]) },
  };
}

type Frozen = Readonly<Record<keyof ReturnType<typeof now>, Readonly<Record<string, unknown>>>>;
const frozen: Readonly<Record<string, Frozen>> = read("test/laws/frozen.json");

test.each(["digests", "graphs", "functions", "ops", "stream"] as const)(
  "no bit of the %s that were released moved",
  (what) => {
    const released = frozen[numericsId];
    expect(Object.keys(released[what]).length).toBeGreaterThan(0);
    // What moved here needs a new id in src/core/numerics.ts, its list here, and a line in CHANGELOG.md that says why.
    expect(now()[what]).toMatchObject(released[what]);
  },
);

test("what is released is of this id, and says so", () => {
  const changelog = readFileSync(`${root}CHANGELOG.md`, "utf8");
  const { version } = read("package.json");
  expect(Number(version.split(".")[0])).toBeGreaterThanOrEqual(1);
  expect(changelog).toMatch(new RegExp(`^## ${version.replaceAll(".", "\\.")} `, "m"));
  expect(changelog).toContain(`### Numerics: \`${numericsId}\``);
});
