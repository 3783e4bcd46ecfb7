// Runners who sign what they found of a run: whose word counts, what contradicts, and a dispute that a third settles, by a fault planted in one runner's
// kernel, which is named, and makes all that this runner said doubtful.
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { isMap } from "../../kernels/kernel.ts";
import { asProduct } from "../../kernels/product.ts";
import type { Backend } from "../../src/compile/contract.ts";
import { ConfigError } from "../../src/core/errors.ts";
import { isSigned, type KeyPair, makeKeys, sign } from "../../src/io/sign.node.ts";
import * as none from "../../src/io/sign.none.ts";
import type { Rebuild } from "../../src/train/replay.ts";
import {
  addStatement,
  attestationOf,
  judgeAttestations,
  readAttested,
  type Statement,
  signed,
} from "../../src/verify/attestation.ts";
import { newKeys, readKeys, readTrusted } from "../../src/verify/keys.ts";
import { disputant, rulingOf, settle } from "../../src/verify/settle.ts";
import { shareOf } from "../../src/verify/share.ts";
import { verifyRun } from "../../src/verify/verify.ts";
import { afterwards, faulty } from "../support/faults.ts";
import { temporaryFolder } from "../support/folder.ts";
import { toyTrain, toyTrainer } from "../support/toy.ts";

const work = mkdtempSync(join(tmpdir(), "seedgrad-attest-"));
afterAll(() => rmSync(work, { recursive: true, force: true }));

const loop = { numSteps: 6 };
const rebuild: Rebuild = (changes) => ({ trainer: toyTrainer({ loop, ...changes }), train: toyTrain() });
const made = async (name: string) => {
  const modelDir = join(work, name);
  await toyTrainer({ loop, modelDir, checkpoint: { steps: 2 } }).fit(toyTrain());
  return modelDir;
};
let [run, other] = ["", ""];
beforeAll(async () => {
  run = await made("run");
  other = await made("other");
});

const [ann, bob, third, stranger] = [makeKeys(), makeKeys(), makeKeys(), makeKeys()];
const trusted = new Map([
  [ann.publicKey, "Ann"],
  [bob.publicKey, "Bob"],
  [third.publicKey, "Third"],
]);

const attested = async (folder: string, keys: KeyPair, options: Parameters<typeof verifyRun>[1] = {}) => {
  const statement = signed(attestationOf(folder, await verifyRun(folder, { rebuild, ...options })), keys);
  addStatement(folder, statement);
  return statement;
};
const judge = (folder: string, statements: readonly Statement[], list = trusted) =>
  judgeAttestations([{ ...readAttested(folder), statements }], list)[0];

/** Products whose first element is wrong. */
const wrongProduct = () =>
  faulty((kernel, plan) => (asProduct(kernel) ? afterwards(kernel, plan, (out) => out.set([out[0] + 1])) : undefined));

describe("keys", () => {
  test("a pair in a file that its owner alone reads, and that is never written over or shown", () => {
    const path = join(temporaryFolder(), "ann.key");
    const publicKey = newKeys(path);
    const keys = readKeys(path);
    expect(keys.publicKey).toBe(publicKey);
    if (process.platform !== "win32") expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(() => newKeys(path)).toThrow(/EEXIST[\s\S]*a key is never written over/);
    const message = new TextEncoder().encode("words");
    expect(isSigned(message, sign(message, keys), publicKey)).toBe(true);
    expect(isSigned(message, sign(message, ann), publicKey)).toBe(false);
    expect(isSigned(message, "12", publicKey)).toBe(false);
    chmodSync(path, 0o644);
    if (process.platform !== "win32") expect(() => readKeys(path)).toThrow(/a private key that others may read/);
    chmodSync(path, 0o600);
    writeFileSync(path, readFileSync(path, "utf8").replace("seedgrad/key/1", "seedgrad/key/9"));
    let said = "";
    try {
      readKeys(path);
    } catch (error) {
      expect(error).toBeInstanceOf(ConfigError);
      said = String((error as Error).stack) + JSON.stringify(error);
    }
    expect(said).toContain("not a file of keys");
    expect(said).not.toContain(keys.privateKey);
    expect(() => readKeys(`${path}x`)).toThrow(/the key can't be read: got ENOENT/);
    for (const call of [() => none.makeKeys(), () => none.sign(message, keys), () => none.readSecret(path)])
      expect(call).toThrow(/nothing is signed here/);
  });

  test("RFC 8032's first test vector", () => {
    const keys = {
      privateKey: "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
      publicKey: "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
    };
    expect(sign(new Uint8Array(0), keys)).toBe(
      "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    );
  });

  test("the list of keys that count", () => {
    const path = join(temporaryFolder(), "trusted");
    writeFileSync(path, `# mine\n${ann.publicKey}  Ann of arm64 # fast\n\n${bob.publicKey}\n`);
    expect([...readTrusted(path)]).toEqual([
      [ann.publicKey, "Ann of arm64"],
      [bob.publicKey, bob.publicKey.slice(0, 16)],
    ]);
    writeFileSync(path, `${ann.publicKey}\nAnn\n`);
    expect(() => readTrusted(path)).toThrow(/trusted:2: not a public key: expected 64 hex digits/);
    writeFileSync(path, `${ann.publicKey}\n${ann.publicKey}\n`);
    expect(() => readTrusted(path)).toThrow(/trusted:2: a key that stands there twice/);
    // A file of private keys in place of the list: the message shows nothing of it.
    const own = join(temporaryFolder(), "own.key");
    newKeys(own);
    const secret = readKeys(own).privateKey;
    let found = "";
    try {
      readTrusted(own);
    } catch (error) {
      found = (error as Error).message;
    }
    expect(found).toMatch(/own\.key:1: not a public key: .*\nHint: /);
    for (let at = 0; at + 8 <= secret.length; at++) expect(found).not.toContain(secret.slice(at, at + 8));
  });
});

describe("statements", () => {
  test("of a whole replay and of a share: how much of the run they confirm", async () => {
    const { from, steps } = shareOf(run, 2, 5n);
    const part = await attested(run, ann, { from, steps, backend: "wasm" });
    expect(part).toMatchObject({ verdict: "same", from, to: from + 2, backend: "wasm", key: ann.publicKey });
    expect(JSON.stringify(part)).not.toContain(ann.privateKey);
    expect(judge(run, [part])).toMatchObject({ verdict: "confirmed", steps: 2, of: 6 });
    const whole = await attested(run, bob, { backend: "wasm", threads: 2 });
    expect(whole.digest).toMatch(/^\w{64}$/);
    const { statements, unread } = readAttested(run);
    expect([statements, unread]).toEqual([[part, whole], []]);
    expect(judge(run, statements)).toMatchObject({ verdict: "confirmed", steps: 6, of: 6, contradictions: [] });
  });

  test("a bad signature, an unknown key, another run's statement, other numerics don't count", async () => {
    const right = signed(attestationOf(run, await verifyRun(run, { rebuild })), ann);
    const standing = (statement: Statement) => {
      const { judged, verdict } = judge(run, [statement]);
      return [judged[0].standing, verdict];
    };
    expect(standing(right)).toEqual(["counts", "confirmed"]);
    for (const change of [{ to: 5 }, { backend: "wasm" }, { key: bob.publicKey }, { more: 1 }])
      expect(standing({ ...right, ...change } as Statement)).toEqual(["bad signature", "not attested"]);
    const { key: _, signature: __, ...statement } = right;
    expect(standing(signed(statement, stranger))).toEqual(["unknown key", "not attested"]);
    expect(standing(signed({ ...statement, digest: "0".repeat(64) }, ann))).toEqual(["another run", "not attested"]);
    expect(standing(signed({ ...statement, link: "0".repeat(64) }, ann))).toEqual(["another run", "not attested"]);
    expect(standing(signed({ ...statement, numericsId: "f32-strict/9" }, ann))).toEqual([
      "other numerics",
      "not attested",
    ]);
    const folder = join(temporaryFolder(), "run");
    await toyTrainer({ loop, modelDir: folder, checkpoint: null }).fit(toyTrain());
    addStatement(folder, right);
    writeFileSync(join(folder, "attestations.jsonl"), 'words\n{"format":"seedgrad/attestation/1"}\n', { flag: "a" });
    const forged = ["constructor", "toString", "valueOf"].map((format) => `{"format":"${format}"}\n`);
    const endless = JSON.stringify({ ...right, more: 1 }).replace('"more":1', '"more":1e999');
    writeFileSync(join(folder, "attestations.jsonl"), `${forged.join("")}${endless}\n`, { flag: "a" });
    expect(readAttested(folder)).toMatchObject({ statements: [right], unread: [2, 3, 4, 5, 6, 7] });
  });

  test("a share begins where the draw says, at a checkpoint that has as many steps after it", () => {
    const begins = Array.from({ length: 40 }, (_, seed) => shareOf(run, 2, BigInt(seed)).from);
    expect([...new Set(begins)].sort()).toEqual([0, 2, 4]);
    expect(new Set(Array.from({ length: 40 }, (_, seed) => shareOf(run, 3, BigInt(seed)).from))).toEqual(
      new Set([0, 2]),
    );
    expect(shareOf(run, 6, 1n)).toEqual({ from: 0, steps: 6 });
    expect(() => shareOf(run, 7, 1n)).toThrow(
      /more steps than the run has after any of its checkpoints: got 7, expected at most 6/,
    );
  });
});

describe("where two disagree, a third decides", () => {
  const sides = (backend: Backend) =>
    [
      disputant(run, ann.publicKey, { rebuild, backend: "reference", from: 0 }),
      disputant(run, bob.publicKey, { rebuild, backend, from: 0 }),
    ] as const;

  test("a fault in one runner's kernel is found and named; what else he said is doubtful", async () => {
    const same = signed(attestationOf(run, await verifyRun(run, { rebuild })), ann);
    const backend = wrongProduct();
    const different = signed(attestationOf(run, await verifyRun(run, { rebuild, backend })), bob);
    const before = signed(attestationOf(other, await verifyRun(other, { rebuild })), bob);
    expect(different).toMatchObject({ verdict: "different", firstDifference: 1, backend: "faulty" });
    expect(judge(run, [same, different])).toMatchObject({
      verdict: "disputed",
      contradictions: [{ step: 1, same: "Ann", different: "Bob" }],
    });
    expect(judge(run, [different]).verdict).toBe("refuted");

    const found = await settle(sides(backend), { step: different.firstDifference! });
    expect(found).toMatchObject({ step: 1, what: "matmul float32[16, 8]", wrong: [bob.publicKey] });
    expect(found.why).toEqual([expect.stringMatching(/^op: matmul\(.* gives other bits: element \[0, 0\]/)]);

    const ruling = rulingOf(run, 1, found, third);
    const runs = [
      { ...readAttested(run), statements: [same, different, ruling] },
      { ...readAttested(other), statements: [before] },
    ];
    const [here, there] = judgeAttestations(runs, trusted);
    expect(here.verdict).toBe("confirmed");
    expect(here.judged.map(({ standing }) => standing)).toEqual(["counts", "doubtful", "counts"]);
    expect(there).toMatchObject({
      verdict: "not attested",
      judged: [{ by: "Bob", standing: "doubtful", why: "Third found it wrong at step 1: matmul float32[16, 8]" }],
    });
    // Nobody's word but a trusted third's makes others doubtful.
    for (const keys of [stranger, bob]) {
      const [mine] = judgeAttestations(
        [{ ...runs[0], statements: [same, different, rulingOf(run, 1, { ...found, wrong: [ann.publicKey] }, keys)] }],
        new Map([[ann.publicKey, "Ann"]]),
      );
      expect(mine.judged[0].standing).toBe("counts");
    }
    expect(() => rulingOf(run, 1, found, bob)).toThrow(/who was found wrong can't rule/);
    expect(() => rulingOf(run, 1, { ...found, wrong: [] }, third)).toThrow(/nobody was found wrong/);
  });

  test("a fault that only fused kernels have; a later step that began with another state", async () => {
    // Updates alone: the loss of the step is right, and that of a later one isn't.
    const backend = faulty((kernel, plan) =>
      isMap(kernel) && kernel.shape.join() === "8,4" && plan.inputs.length > 0 && plan.kernels.length < 60
        ? afterwards(kernel, plan, (out) => out.set([out[0] + 1]))
        : undefined,
    );
    const { firstDifference } = await verifyRun(run, { rebuild, backend });
    expect(firstDifference).toBeGreaterThan(1);
    const found = await settle(sides(backend), { step: firstDifference! });
    expect(found).toMatchObject({ step: 1, wrong: [bob.publicKey] });
    expect(found.what).toMatch(/^the fused kernel that gives (optimizer|parameter)\//);
  });

  test("a runner who lists another state than his step before gave out, or proofs that aren't of his list", async () => {
    const [a, b] = [
      sides("reference" as never)[0],
      disputant(run, bob.publicKey, { rebuild, backend: "reference", from: 0 }),
    ];
    const forged = {
      ...b,
      values: async (step: number) => {
        const list = await b.values(step);
        const values = list.values.map((value) =>
          step === 3 && value.what.startsWith("input parameter/0.bias") ? { ...value, sha256: "0".repeat(64) } : value,
        );
        return { ...list, values };
      },
    };
    expect(await settle([a, forged], { step: 3 })).toMatchObject({
      step: 2,
      what: "the state handed on",
      wrong: [bob.publicKey],
      why: [expect.stringMatching(/^step 3 begins with another input parameter\/0\.bias/)],
    });
    const unlike = {
      ...b,
      values: async (step: number) => {
        const list = await b.values(step);
        return {
          ...list,
          values: list.values.map((value, i) => (i === 40 ? { ...value, sha256: "0".repeat(64) } : value)),
        };
      },
    };
    expect(await settle([a, unlike], { step: 2 })).toMatchObject({
      value: 40,
      wrong: [bob.publicKey],
      why: ["the proof isn't of what was listed"],
    });
    expect(await settle([a, b], { step: 2 })).toMatchObject({
      wrong: [],
      what: "nothing differs in the step that they show",
    });
  });
});
