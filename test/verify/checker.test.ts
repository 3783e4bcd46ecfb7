// The checker in Python, written from docs/proof.md: it passes the committed proofs, finds what was changed in them, and says by name what it doesn't know.
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { SeedgradError } from "../../src/core/errors.ts";
import { verifyOpProof } from "../../src/verify/judgeop.ts";
import { readProof, writeProof } from "../../src/verify/opproof.ts";
import { proofOf, stepValues } from "../../src/verify/prove.ts";
import { replayStep } from "../../src/verify/restep.ts";
import { temporaryFolder } from "../support/folder.ts";
import { root } from "../support/sources.ts";
import { toyTrain, toyTrainer } from "../support/toy.ts";
import { vectorFolder, vectors } from "./opvectors.ts";

const names = readdirSync(vectorFolder);
const texts = names.map((name) => readFileSync(join(vectorFolder, name), "utf8"));

/** Each text of hex in a proof with a digit changed, by where it is: `link/batch`, `operands/0/data`. */
function changed(text: string): [string, unknown][] {
  const found: [string, unknown][] = [];
  const walk = (value: unknown, path: readonly string[]) => {
    if (typeof value === "object" && value !== null) {
      for (const [key, item] of Object.entries(value)) walk(item, [...path, key]);
      return;
    }
    const isHex = typeof value === "string" && /^[0-9a-f]+$/.test(value);
    if (!isHex && path.at(-1) !== "expression") return;
    const at = Math.floor(String(value).length / 3);
    const other = isHex ? (value[at] === "0" ? "1" : "0") : "#";
    const proof = JSON.parse(text);
    const last = path.slice(0, -1).reduce((record, key) => record[key], proof);
    last[path.at(-1)!] = `${String(value).slice(0, at)}${other}${String(value).slice(at + 1)}`;
    found.push([path.join("/"), proof]);
  };
  walk(JSON.parse(text), []);
  return found;
}

/** Branches to the state of a checkpoint, which the checker in Python leaves to seedgrad. */
const ofStates = /^(states|(operands|result)\/(\d+\/)?state)\b/;

test("the committed proofs are those that are made today, and right", async () => {
  const made = await vectors();
  expect([...made.keys()].sort()).toEqual([...names].sort());
  names.forEach((name, i) => {
    expect(made.get(name), name).toBe(texts[i]);
    expect(verifyOpProof(readProof(name, texts[i])).equal, name).toBe(true);
  });
});

test("any digit changed in them is found", () => {
  for (const [i, text] of texts.entries()) {
    for (const [path, proof] of changed(text)) {
      let found = "right";
      try {
        found = verifyOpProof(readProof(names[i], JSON.stringify(proof))).verdict;
      } catch (error) {
        if (!(error instanceof SeedgradError)) throw error;
        found = "refused";
      }
      expect(found, `${names[i]} ${path}`).not.toMatch(/right|same/);
    }
  }
});

const python = spawnSync("python3", ["--version"]);
const missing = python.error !== undefined || python.status !== 0;
if (missing) console.log("skipped: no python3 here to check proofs independently");

describe.skipIf(missing && !process.env.CI)("in Python", () => {
  const run = (paths: readonly string[]) => {
    const { stdout, stderr, status } = spawnSync("python3", [`${root}docs/proof/check.py`, ...paths], {
      encoding: "utf8",
      env: { ...process.env, PYTHONUTF8: "1" },
    });
    expect(stderr).toBe("");
    return { status, lines: stdout.trim().split("\n") };
  };
  const written = (proofs: readonly unknown[]) => {
    const folder = temporaryFolder();
    return proofs.map((proof, i) => {
      const path = join(folder, `${i}.json`);
      writeFileSync(path, JSON.stringify(proof));
      return path;
    });
  };

  test("passes the committed proofs, in under 150 lines", () => {
    const { status, lines } = run(names.map((name) => join(vectorFolder, name)));
    expect(lines.filter((line) => !/\.json: right: \w+$/.test(line))).toEqual([]);
    expect([status, lines.length]).toEqual([0, names.length]);
    expect(readFileSync(`${root}docs/proof/check.py`, "utf8").split("\n").length).toBeLessThanOrEqual(150);
  });

  test("refuses fields that a proof doesn't have, at any depth, as seedgrad does", () => {
    const wider: [string, (proof: Record<string, Record<string, unknown>>) => void][] = [
      ["note", (proof) => Object.assign(proof, { note: "checked" })],
      ["time", (proof) => Object.assign(proof.link, { time: 1 })],
      ["dtype", (proof) => Object.assign(proof.result, { dtype: "float32" })],
      ["dtype", (proof) => Object.assign((proof.operands as unknown as object[])[0], { dtype: "float32" })],
      ["during", (proof) => Object.assign(proof.states, { during: "12".repeat(32) })],
      [
        "kind",
        (proof) => Object.assign((proof.operands as unknown as { state: object }[])[0].state, { kind: "parameter" }),
      ],
    ];
    const text = texts[names.indexOf("broadcast.json")];
    const proofs = wider.map(([, change]) => {
      const proof = JSON.parse(text);
      change(proof);
      return proof;
    });
    const { status, lines } = run(written(proofs));
    expect(lines.map((line) => line.slice(line.indexOf(": ") + 2))).toEqual(
      wider.map(([field]) => `REFUSED: fields that aren't known: ${field}`),
    );
    expect(status).toBe(2);
    for (const proof of proofs) expect(() => readProof("p", JSON.stringify(proof))).toThrow(/not what a proof holds/);
  });

  test("refuses any digit changed in them, and names the part", () => {
    for (const [i, text] of texts.entries()) {
      const cases = changed(text).filter(([path]) => !ofStates.test(path));
      const { status, lines } = run(written(cases.map(([, proof]) => proof)));
      expect(status).toBe(1);
      const named = (path: string) => {
        if (/^graph/.test(path)) return /: WRONG: graph: /;
        if (/^link\//.test(path)) return /: WRONG: link: /;
        if (path === "root" || /\/path\/|\/sha256$|\/data$/.test(path)) return /: WRONG: value \d+: /;
        return path === "expression" ? /: WRONG: expression: / : /: WRONG: /;
      };
      cases.forEach(([path], j) => {
        expect(lines[j], `${names[i]} ${path}`).toMatch(named(path));
      });
    }
  });

  test("a wrong result under right hashes is told with the element; ops that it doesn't know are refused by name", async () => {
    const loop = { numSteps: 1 };
    const rebuild = (changes: object) => ({ trainer: toyTrainer({ loop, ...changes }), train: toyTrain() });
    const folder = `${temporaryFolder()}/run`;
    await toyTrainer({ loop, modelDir: folder, checkpoint: null }).fit(toyTrain());
    const { values } = await stepValues(folder, 1, { rebuild });
    const replayed = await replayStep(folder, 1, { rebuild });
    const ops = new Map(values.map(({ what, value }) => [what.split(" ")[0], value]));
    const proved = async (op: string) => JSON.parse(writeProof(await proofOf(replayed, ops.get(op)!)));
    const exp = await proved("exp");
    const { expression: _, ...without } = exp;
    // Another value of the same graph and elements, as if it were the op's: all hashes are right.
    const forged = structuredClone(await proved("add"));
    forged.expression = exp.expression;
    const known = ["add", "exp", "where", "lessEqual", "matmul", "max"];
    const refused = ["gather", "scatterAdd"];
    const paths = written([
      ...(await Promise.all(known.slice(0, 5).map(proved))),
      ...(await Promise.all(["max", ...refused].map(proved))),
      without,
      forged,
    ]);
    const { status, lines } = run(paths);
    expect(lines.map((line) => line.slice(line.indexOf(": ") + 2))).toEqual([
      ...known.slice(0, 5).map((op) => `right: ${op}`),
      ...["max", ...refused].map((op) => `REFUSED: op ${op}`),
      "REFUSED: op exp: another version, or an expression that isn't given",
      "WRONG: expression: the graph has the hash of another",
    ]);
    expect(status).toBe(1);
    expect(run(paths.slice(5, 6)).status).toBe(2);
  });
});
