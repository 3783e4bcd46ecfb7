// One op of a step, proved and judged by itself: ops of every kind; from a run's folder, by its link and its checkpoints; and with each part of a proof
// changed, which is then named.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { asProduct } from "../../kernels/product.ts";
import { referenceBackend } from "../../src/backend/reference.ts";
import { encodeGraph } from "../../src/compile/hash.ts";
import { lower } from "../../src/compile/lower.ts";
import { fromHex, sha256Hex, toHex } from "../../src/core/canonical.ts";
import { ConfigError, DataError, ReproError, TraceError } from "../../src/core/errors.ts";
import { graphNodes } from "../../src/graph/graph.ts";
import type { Node } from "../../src/graph/node.ts";
import { allRecords } from "../../src/ops/define.ts";
import { linkHash } from "../../src/run/chain.ts";
import type { Rebuild } from "../../src/train/replay.ts";
import { diffReplay } from "../../src/verify/diff.ts";
import { verifyOpProof } from "../../src/verify/judgeop.ts";
import { type OpProof, readProof, stepCommitment, writeProof } from "../../src/verify/opproof.ts";
import { proofOf, proveOp, type StepValues, stepValues } from "../../src/verify/prove.ts";
import { type ReplayedStep, replayStep } from "../../src/verify/restep.ts";
import { conformanceCases } from "../conformance/cases.ts";
import { afterwards, faulty } from "../support/faults.ts";
import { traceGraph } from "../support/graphs.ts";
import { toyTrain, toyTrainer } from "../support/toy.ts";

const folder = join(mkdtempSync(join(tmpdir(), "seedgrad-op-")), "run");
afterAll(() => rmSync(join(folder, ".."), { recursive: true, force: true }));

const loop = { numSteps: 3 };
const rebuild: Rebuild = (changes) => ({ trainer: toyTrainer({ loop, ...changes }), train: toyTrain() });
let digest: string;
let values: StepValues;
beforeAll(async () => {
  const trainer = toyTrainer({ loop, modelDir: folder, checkpoint: { steps: 1 } });
  ({ digest } = await trainer.fit(toyTrain()));
  values = await stepValues(folder, 2, { rebuild });
});

/** The number of the step's nth value of a kind. */
const numberOf = (what: string, nth = 0) =>
  values.values.filter((value) => value.what.startsWith(`${what} `))[nth].value;
const proved = async (value: number | string, step = 2) =>
  readProof("a proof", writeProof(await proveOp(folder, step, value, { rebuild })));
const failing = (proof: OpProof) =>
  verifyOpProof(proof).checks.flatMap(({ what, found }) => (found === "differs" ? [what] : []));

test("ops of every kind are proved, and the proofs are right", async () => {
  const seen = new Map<string, number>();
  const isNew = ({ op }: Node) => (seen.get(op) ?? 0) < 2;
  const wrong: string[] = [];
  for (const { name, inputs, build } of conformanceCases()) {
    const ports = Object.fromEntries(inputs.map((data, i) => [`input/${i}`, data]));
    const graph = traceGraph(ports, (nodes) => ({ outputs: { y: build(...Object.values(nodes)) } }), {
      seed: 2n ** 64n - 59n,
    });
    const numbers = new Map<Node, number>();
    encodeGraph(graph, numbers);
    const wanted = graphNodes(graph).filter((node) => isNew(node) && numbers.get(node)! >= inputs.length);
    if (wanted.length === 0) continue;
    const plan = lower(graph);
    const base = 2 ** 33 + 12345;
    const record = { plan, inputs: inputs.map(({ data }) => data), outputs: [], seed: graph.seed, base };
    const link = {
      previous: new Uint8Array(32),
      step: 1,
      graphHash: plan.graphHash,
      position: base + graph.draws,
      batch: Uint8Array.of(1, 0, 0, 0, 0),
      given: new Uint8Array(4),
      lossBits: 0,
    };
    const replayed: ReplayedStep = { folder, record, backend: referenceBackend(), link, hash: linkHash(link) };
    for (const node of wanted) {
      if (!isNew(node)) continue;
      seen.set(node.op, (seen.get(node.op) ?? 0) + 1);
      const found = verifyOpProof(readProof(name, writeProof(await proofOf(replayed, numbers.get(node)!))));
      if (!found.equal) wrong.push(`${name}: ${node.op}: ${found.difference}`);
    }
  }
  expect(wrong).toEqual([]);
  const missing = allRecords().filter(({ name, kind }) => kind !== "leaf" && !seen.has(name));
  expect(missing.map(({ name }) => name)).toEqual([]);
  expect(seen.get("constant")).toBe(2);
}, 300_000);

describe("from a run's folder", () => {
  test("every op of a step is right; the root is the same on another backend", async () => {
    const replayed = await replayStep(folder, 2, { rebuild, backend: "wasm", threads: 2 });
    const computed = values.values.filter(({ what }) => !what.startsWith("input "));
    expect(computed.length).toBeGreaterThan(150);
    for (const { value, what } of computed.filter((_, i) => i % 5 === 0)) {
      const found = verifyOpProof(await proofOf(replayed, value));
      expect(found, what).toMatchObject({ equal: true, root: values.root, commitment: values.commitment });
    }
    expect(values.commitment).toBe(stepCommitment(values.link, values.root));
  });

  test("state is that of the checkpoints beside the step: a weight's last update leads to the run's digest", async () => {
    const found = verifyOpProof(await proved("parameter/0.weight", 3), { against: digest });
    expect(found).toMatchObject({ equal: true, after: digest, op: "sub(float32[8, 4], float32[8, 4]) float32[8, 4]" });
    const transposed = await proved(numberOf("transpose"));
    expect(transposed.operands[0].state?.name).toBe("parameter/0.weight");
    const { before } = verifyOpProof(transposed);
    expect(before).toMatch(/^\w{64}$/);
    expect(before).not.toBe(digest);
  });

  test("numbers from the host and the loss are the link's", async () => {
    const loss = verifyOpProof(await proved("result"));
    expect(loss.checks.map(({ what }) => what)).toContainEqual(expect.stringMatching(/^link: loss, result, node/));
    const broadcast = values.values.filter(({ what }) => what.startsWith("broadcastTo float32[8, 4]"));
    const found: string[] = [];
    for (const { value } of broadcast) found.push(...verifyOpProof(await proved(value)).checks.map(({ what }) => what));
    const of = (name: string) => expect.stringMatching(`^link: ${name}, operand, input \\d+ \\(scalar/${name}\\)$`);
    for (const name of ["stepSize/0", "correction/0"]) expect(found).toContainEqual(of(name));
  });

  test("held against the run, its hashes, and others", async () => {
    const proof = await proved(numberOf("matmul"));
    for (const against of [folder, proof.graphHash, proof.root, proof.link.hash, values.commitment])
      expect(verifyOpProof(proof, { against }).equal, against).toBe(true);
    expect(verifyOpProof(proof, { against: digest })).toMatchObject({
      equal: false,
      difference: `against: none of its hashes is ${digest}`,
    });
    expect(() => verifyOpProof(proof, { against: "12" })).toThrow(ConfigError);
    const earlier = structuredClone(await proved(numberOf("matmul"), 1)) as { step: number; link: { hash: string } };
    earlier.step = 2;
    const link = linkHash({
      ...(earlier as unknown as OpProof).link,
      ...{ previous: fromHex(proof.link.previous), step: 2, graphHash: proof.graphHash, lossBits: 0 },
      ...{ batch: fromHex(proof.link.batch), given: fromHex(proof.link.given), position: 186 },
    });
    Object.assign(earlier.link, proof.link, { loss: "00000000", hash: toHex(link), position: 186 });
    const found = verifyOpProof(earlier as unknown as OpProof, { against: folder });
    expect(found.difference).toBe(`step 2 of ${folder}: the run's link is ${proof.link.hash}`);
  });

  test("what it refuses", async () => {
    await expect(proved(0)).rejects.toThrow(/an input of the step, which no op computes: got 0, argument\/0\/inputs/);
    await expect(proved(192)).rejects.toThrow(/no such value: got 192, expected an integer in \[0, 192\)/);
    await expect(proved("parameter/x")).rejects.toThrow(ConfigError);
    await expect(proved(20, 9)).rejects.toThrow(/the run has no such step: got step 9, expected at most 3/);
    await expect(proveOp(`${folder}x`, 1, 20, { rebuild })).rejects.toThrow(ConfigError);
    const backend = faulty((kernel, plan) =>
      asProduct(kernel) ? afterwards(kernel, plan, (out) => out.set([7])) : undefined,
    );
    const failed = proveOp(folder, 2, 20, { rebuild, backend });
    await expect(failed).rejects.toThrow(ReproError);
    await expect(failed).rejects.toThrow(/step 2: the replay isn't the run/);
  });
});

describe("a proof with one thing wrong", () => {
  // biome-ignore lint/suspicious/noExplicitAny: a forger's JSON.
  const changed = async (change: (proof: any) => void, value = numberOf("matmul")): Promise<OpProof> => {
    const proof = structuredClone(await proved(value));
    change(proof);
    return proof;
  };
  const flip = (hex: string, at = 0) => `${hex.slice(0, at)}${hex[at] === "0" ? "1" : "0"}${hex.slice(at + 1)}`;

  test("each is named", async () => {
    const graph = numberOf("matmul");
    // biome-ignore lint/suspicious/noExplicitAny: a forger's JSON.
    const rehash = (value: any) => Object.assign(value, { sha256: sha256Hex(fromHex(value.data)) });
    const operand = "operand, input 0 (argument/0/inputs)";
    const result = `result, node ${graph} (matmul)`;
    // biome-ignore lint/suspicious/noExplicitAny: a forger's JSON.
    const cases: [string[], (proof: any) => void][] = [
      [["graph"], (proof) => Object.assign(proof, { graph: flip(proof.graph, 200) })],
      [["graph"], (proof) => Object.assign(proof, { graphHash: flip(proof.graphHash) })],
      [["link"], ({ link }) => Object.assign(link, { previous: flip(link.previous) })],
      [["link"], ({ link }) => Object.assign(link, { batch: flip(link.batch, 12) })],
      [["link"], ({ link }) => Object.assign(link, { hash: flip(link.hash) })],
      [["link"], ({ link }) => Object.assign(link, { loss: flip(link.loss) })],
      [[operand, "op"], ({ operands: [x] }) => Object.assign(x, { data: flip(x.data, 9) })],
      [[`branch of ${operand}`, "op"], ({ operands: [x] }) => rehash(Object.assign(x, { data: flip(x.data, 9) }))],
      [
        [`branch of ${operand}`],
        ({ operands: [x] }) => Object.assign(x, { path: [flip(x.path[0]), ...x.path.slice(1)] }),
      ],
      [[`branch of ${operand}`], ({ operands: [x] }) => Object.assign(x, { path: x.path.slice(1) })],
      [[result, "op"], ({ result: y }) => Object.assign(y, { data: flip(y.data, 9) })],
      [[`branch of ${result}`, "op"], ({ result: y }) => rehash(Object.assign(y, { data: flip(y.data, 9) }))],
      [[operand, "op"], ({ operands: [x] }) => Object.assign(x, { data: `0100c0ff${x.data.slice(8)}` })],
      [["root"], (proof) => Object.assign(proof, { root: flip(proof.root) })],
    ];
    for (const [names, change] of cases) {
      const proof = await changed(change);
      expect(failing(proof), String(change)).toEqual(names);
      const { equal, verdict, difference } = verifyOpProof(proof);
      expect([equal, verdict, difference?.startsWith(`${names[0]}: `)]).toEqual([false, "different", true]);
    }
  });

  test("an expression, a state's branch, and its name", async () => {
    const value = numberOf("add");
    expect(
      failing(await changed((proof) => Object.assign(proof, { expression: `${proof.expression} ` }), value)),
    ).toEqual(["expression"]);
    const transpose = numberOf("transpose");
    const what = "state before the step: operand, input 16 (parameter/0.weight)";
    for (const change of [{ index: 3 }, { name: "parameter/3.weight" }, { path: [] }]) {
      const proof = await changed(({ operands: [x] }) => Object.assign(x.state, change), transpose);
      expect(failing(proof)).toEqual([what]);
    }
    const other = await changed(({ states }) => Object.assign(states, { before: "0".repeat(64) }), transpose);
    expect(failing(other)).toEqual([what]);
    const unshown = await changed((proof) => Object.assign(proof, { states: { after: "0".repeat(64) } }), transpose);
    expect(failing(unshown)).toEqual([what, "state after the step"]);
  });

  test("an op computed wrong, all else being as it should: the element, and both values", async () => {
    const replayed = await replayStep(folder, 2, { rebuild });
    const backend = faulty((kernel, plan) =>
      asProduct(kernel) ? afterwards(kernel, plan, (out) => out.fill(0, 3, 4)) : undefined,
    );
    const proof = await proofOf({ ...replayed, backend }, numberOf("matmul"));
    expect(failing(proof)).toEqual(["op"]);
    expect(verifyOpProof(proof).difference).toMatch(
      /^op: matmul\(float32\[16, 4\], float32\[4, 8\]\) float32\[16, 8\] gives other bits: element \[0, 3\], the first of 1 of 128 that differ, is \S+ \(\w{8}\), the proof says 0 \(00000000\)$/,
    );
    // What diff names is what is proved.
    const { op } = await diffReplay(folder, { rebuild, backend });
    expect(op).toMatchObject({ name: "matmul", value: numberOf("matmul") });
    // The op after it did right by what it was given.
    expect(failing(await proofOf({ ...replayed, backend }, numberOf("add")))).toEqual([]);
  });

  test("a record that is none, other operands, other lengths, other numerics: typed errors", async () => {
    const proof = await proved(numberOf("matmul"));
    const refused = (change: object, kind: typeof DataError, message: RegExp) => {
      const judge = () => verifyOpProof({ ...structuredClone(proof), ...change } as OpProof);
      expect(judge).toThrow(kind);
      expect(judge).toThrow(message);
    };
    const regraphed = (from: string, to: string) => {
      const bytes = (text: string) => toHex(new TextEncoder().encode(text));
      expect(proof.graph).toContain(bytes(from));
      const graph = proof.graph.replace(bytes(from), bytes(to));
      return { graph, graphHash: sha256Hex(fromHex(graph)) };
    };
    expect(() => readProof("p.json", "no json")).toThrow(DataError);
    expect(() => readProof("p.json", "no json")).toThrow(/p\.json: not a proof of an op: got what is no JSON/);
    expect(() => readProof("p.json", JSON.stringify({ ...proof, more: 1 }))).toThrow(
      /p\.json: more: not what a proof holds: got 1, expected no such field/,
    );
    expect(() => readProof("p.json", "{}")).toThrow(
      /p\.json: not a proof of an op: got nothing, expected "?seedgrad\/op\/1/,
    );
    expect(() => readProof("p.json", JSON.stringify({ ...proof, root: "12" }))).toThrow(
      /p\.json: root: not what a proof holds: got "12", expected 64 hex digits/,
    );
    refused({ root: "12" }, ConfigError, /verifyOpProof: .* the proof of an op/);
    refused({ more: 1 }, ConfigError, /verifyOpProof: .* the proof of an op/);
    refused(
      { operands: proof.operands.slice(1) },
      DataError,
      /operands that aren't the op's: got values 19, expected 0, 19/,
    );
    refused({ result: { ...proof.result, value: 3 } }, DataError, /an input of the step, which no op computes/);
    refused({ result: { ...proof.result, value: 999 } }, DataError, /the graph has no such value/);
    refused(
      { result: { ...proof.result, data: "00" } },
      DataError,
      /not as many bytes as float32\[16, 8\] has: got 1, expected 512/,
    );
    refused(regraphed("f32-strict/2", "f32-strict/3"), ReproError, /another numerics id/);
    refused(regraphed("matmul", "natmul"), TraceError, /an op that isn't defined: got natmul/);
    const cut = fromHex(proof.graph).slice(0, -9);
    refused({ graph: toHex(cut), graphHash: sha256Hex(cut) }, DataError, /the bytes end early/);
  });
});
