// When a case counts as slower, faster, or other.
import { describe, expect, test } from "vitest";
import { compareResults, judge, reportLines } from "../../bench/compare.ts";
import { parseResults, type Results, type Row } from "../../bench/results.ts";
import { machine, row } from "../support/bench.ts";

const times = (minimum: number, median: number, quartiles: [number, number] = [median, median]): Partial<Row> => ({
  min_ms: minimum,
  median_ms: median,
  quartiles_ms: quartiles,
});
const verdict = (before: Partial<Row>, now: Partial<Row>) => judge(row(before), row(now)).verdict;
const results = (rows: readonly Row[], changes: Partial<Results["machine"]> = {}): Results => ({
  machine: { ...machine, ...changes },
  rows,
  absent: [],
});

describe("a case is", () => {
  test.each([
    ["the same within 5 %", times(10, 11), times(10.4, 11.5), "same"],
    ["slower when minimum and median have grown beyond it", times(10, 11), times(10.6, 11.7), "slower"],
    ["the same when only the median has: a busy machine", times(10, 11), times(10, 30), "same"],
    ["the same when only the minimum has: one lucky round before", times(8, 11), times(10, 11), "same"],
    ["the same within the earlier spread", times(10, 11, [10, 13.3]), times(12, 13), "same"],
    ["the same within the later spread", times(10, 11), times(12, 14, [12, 17]), "same"],
    ["slower beyond any spread", times(10, 11, [10, 13.3]), times(20, 22, [20, 24]), "slower"],
    ["faster when both have shrunk", times(10, 11), times(9, 10), "faster"],
  ] as const)("%s", (_, before, now, expected) => {
    expect(verdict(before, now)).toBe(expected);
  });

  test("other when its bits are, whatever the time", () => {
    expect(verdict({ bits: "aa" }, { bits: "bb" })).toBe("other bits");
    expect(verdict({ bits: "" }, { bits: "bb" })).toBe("same");
    expect(verdict({ bits: "aa", peer: "p 1" }, { bits: "bb", peer: "p 1" })).toBe("same");
  });
});

describe("a comparison fails", () => {
  const before = results([row(), row({ case: "gone" })]);

  test("for a slower row of ours, not for a peer's", () => {
    const slow = times(2, 2);
    expect(compareResults(before, results([row(slow)])).failed).toBe(true);
    const peers = { peer: "p 1", backend: "p" };
    expect(compareResults(results([row(peers)]), results([row({ ...peers, ...slow })])).failed).toBe(false);
  });

  test("for other bits under the same numerics only", () => {
    const other = [row({ bits: "ffff" })];
    expect(compareResults(before, results(other)).failed).toBe(true);
    expect(compareResults(before, results(other, { numerics: "f32-strict/2" })).failed).toBe(false);
  });

  test("and says what it compared, what is missing, and that the machine was another", () => {
    const now = results([row(times(2, 2)), row({ case: "new" })], { cpu: "another" });
    const report = compareResults(before, now);
    expect(report).toMatchObject({ gone: ["gone wasm 1"], added: ["new wasm 1"] });
    const text = reportLines(before, now, report).join("\n");
    expect(text).toMatch(/add-4m +wasm +1 +slower +minimum 2\.00 ×, median 2\.00 ×, noise 5 %/);
    expect(text).toContain("1 compared, 1 changed beyond noise");
    expect(text).toContain(`another machine or engine then: ${machine.cpu}`);
  });

  test("and a core that is itself slower is said", () => {
    const probe = (min_ms: number) => results([row({ case: "probe-registers", min_ms })]);
    const report = compareResults(probe(1), probe(1.5));
    expect(reportLines(probe(1), probe(1.5), report).at(-1)).toMatch(/1\.50 × the time it took then/);
  });
});

describe("a file is refused", () => {
  test.each([
    ["that isn't JSON", "{", "not JSON"],
    ["without rows", "{}", "expected machine and rows"],
    [
      "with a row that is none",
      JSON.stringify({ machine, rows: [{ ...row(), min_ms: "1" }] }),
      "add-4m: min_ms isn't a number",
    ],
    [
      "with quartiles that are none",
      JSON.stringify({ machine, rows: [{ ...row(), quartiles_ms: [1] }] }),
      "quartiles_ms",
    ],
  ])("%s", (_, text, problem) => {
    expect(() => parseResults("file.json", text)).toThrow(new RegExp(`^file\\.json: .*${problem}`));
  });

  test("but not one that --json wrote", () => {
    const whole = results([row()]);
    expect(parseResults("file.json", JSON.stringify(whole))).toEqual(whole);
  });
});
