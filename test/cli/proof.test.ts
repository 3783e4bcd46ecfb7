// `verify` and `diff`: a run checked whole and in part, and why two runs or configs differ. The commands are called in this process.
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { attestations, makeKeyFile } from "../../src/cli/attestations.ts";
import type { Outcome } from "../../src/cli/command.ts";
import { type DiffFlags, diff } from "../../src/cli/diff.ts";
import { fitConfig } from "../../src/cli/fit.ts";
import { type VerifyFlags, verify } from "../../src/cli/verify.ts";
import { parseOp } from "../../src/cli/verifyop.ts";
import { BackendError, ConfigError } from "../../src/core/errors.ts";
import type { StepValue } from "../../src/verify/prove.ts";
import { call, configFile, presetWith } from "../support/cli.ts";
import { scratch } from "../support/folder.ts";

const plain: [string, string][] = [
  [", eval_frequency: epoch", ""],
  ["{steps: 500}", "{steps: 2}"],
  ["num_epochs: 3", "max_steps: 5"],
  ["split: train, batch_size: 64,", "split: test, batch_size: 8,"],
  ["sizes: [784, 128, 10]", "sizes: [784, 16, 10]"],
  [
    "[ProgressLogger: {}, CSVLogger: {}, TensorBoardLogger: {}]",
    "[ProgressLogger: null, CSVLogger: null, JSONLLogger: null]",
  ],
];
const config = (...changes: (readonly [string, string])[]) => configFile(presetWith(...plain, ...changes));

const beta = ["weight_decay: 0.01", "weight_decay: 0.01, betas: [0.90001, 0.999]"] as const;

async function trained(file: string): Promise<string> {
  const modelDir = join(scratch(), "run");
  expect((await fitConfig(file, { modelDir })).code).toBe(0);
  return modelDir;
}

const text = ({ lines }: Outcome) => lines.join("\n");
const verified = (folder: string, flags: VerifyFlags = {}) => verify(folder, flags);
const compared = (a: string, b: string, flags: DiffFlags = {}) => diff(a, b, flags);

let run: string;
beforeAll(async () => {
  run = await trained(config());
});

describe("verify", () => {
  test("from a checkpoint, for some steps, on another backend and threads, against a manifest", async () => {
    const whole = await verified(run, { backend: "wasm", threads: 2, against: join(run, "manifest.json") });
    expect(whole.code, text(whole)).toBe(0);
    expect(whole.json).toMatchObject({ equal: true, from: 0, steps: 5, threads: 2 });
    expect(text(whole)).toMatch(
      /^the same: 5 steps replayed on wasm, 2 threads\nexpected {2}\w{64}\nreplayed {2}\w{64}\n\n# checked, and the same\n[\s\S]*\nchain\.bin {2,}the links of steps 1 to 5\n[\s\S]*\n\n# taken on trust\n[\s\S]*\nengine {2,}\w/,
    );
    const part = await verified(run, { from: 2, steps: 2, backend: "reference" });
    expect(part).toMatchObject({ code: 0, json: { equal: true, from: 2, steps: 2, backend: "reference" } });
    expect(text(part)).toContain("the same: steps 3 to 4 replayed on reference");
    expect(text(part)).toContain("the checkpoint at step 2 was taken as it is");
  });

  test("what it refuses", async () => {
    await expect(verified(run, { from: 3 })).rejects.toThrow(/got step 3, expected one of 2, 4, 5, or 0/);
    await expect(verified(run, { from: 3 })).rejects.toThrow(ConfigError);
    await expect(verified(run, { against: "12ab" })).rejects.toThrow(ConfigError);
    await expect(verified(run, { against: "12".repeat(32), steps: 2 })).rejects.toThrow(/a digest is of a run's end/);
    await expect(verified(run, { backend: "wsam" })).rejects.toThrow(BackendError);
  });

  test("a config against a published digest, a manifest, a folder", async () => {
    const file = config();
    const { digest } = (await verified(run)).json as { digest: string };
    for (const against of [digest, join(run, "manifest.json"), run]) {
      const found = await verified(file, { against, backend: "wasm" });
      expect(found).toMatchObject({ code: 0, json: { equal: true, digest, expected: digest, steps: 5 } });
    }
    const wrong = await verified(file, { against: "12".repeat(32) });
    expect(wrong).toMatchObject({ code: 1, json: { equal: false, digest, difference: "the digest" } });
    expect(text(wrong)).not.toContain("# what they were given");
    const seeded = await verified(config(["seed: 1234", "seed: 7"]), { against: run });
    expect(seeded).toMatchObject({ code: 1, json: { diff: { cause: { name: "another seed" } } } });
    expect(text(seeded)).toMatch(/^DIFFERS: the digest: graph \w{64}, published \w{64}\n/);
    await expect(verified(file)).rejects.toThrow(/a config can only be checked against a final digest.*got nothing/);
    await expect(verified(file, { against: digest, steps: 2 })).rejects.toThrow(ConfigError);
    const other = await verified(run, { against: "12".repeat(32) });
    expect(other).toMatchObject({ code: 1, json: { equal: false } });
    expect(text(other)).not.toContain("# what they were given");
  });

  test("where something differs: what diff prints", async () => {
    const folder = join(scratch(), "copy");
    mkdirSync(folder);
    for (const name of ["manifest.json", "chain.bin"]) copyFileSync(join(run, name), join(folder, name));
    const own = readFileSync(join(run, "config.yaml"), "utf8");
    expect(own).toContain("dropout: 0.1");
    writeFileSync(join(folder, "config.yaml"), own.replace("dropout: 0.1", "dropout: 0.10001"));
    const found = await verified(folder);
    expect(found.code).toBe(1);
    expect(found.json).toMatchObject({
      equal: false,
      firstDifference: 1,
      diff: { cause: { name: "another program" }, equal: false },
    });
    expect(text(found)).toMatch(
      /DIFFERS: first at step 1[\s\S]*# what they were given[\s\S]*dropout: 0\.1 \| 0\.10001/,
    );
  });
});

describe("verify --op", () => {
  test("the values of a step, one op by number and by name, and its proof without the run", async () => {
    const list = await verified(run, { op: { step: 3 }, backend: "wasm" });
    expect(list.code).toBe(0);
    expect(text(list)).toMatch(
      /^graph {7}\w{64}\nlink {8}\w{64}\nroot {8}\w{64}\ncommitment {2}\w{64}\n\nvalue {2}what /,
    );
    const rows = list.lines.slice(6);
    expect(rows[0]).toMatch(/^0 {6}input argument\/0\/inputs float32\[8, 784\] +\w{16}$/);
    const { value } = (list.json.values as StepValue[]).find(({ what }) => what.startsWith("matmul "))!;
    const output = join(scratch(), "op.json");
    const proved = await verified(run, { op: { step: 3, value }, output });
    expect(proved, text(proved)).toMatchObject({ code: 0, json: { equal: true, root: list.json.root } });
    expect(text(proved)).toContain(
      `right: step 3, value ${value}: matmul(float32[8, 784], float32[784, 16]) float32[8, 16]`,
    );
    for (const against of [undefined, run, String(list.json.commitment)]) {
      const judged = await verified(output, { against });
      expect([judged.code, judged.lines[0]]).toEqual([0, proved.lines[0]]);
    }
    expect((await verified(output, { against: await trained(config(["seed: 1234", "seed: 7"])) })).code).toBe(1);
    const last = await verified(run, { op: { step: 5, value: "parameter/0.weight" } });
    expect(text(last)).toContain(`digest after the step  ${(await verified(run)).json.digest}`);
    const proof = readFileSync(output, "utf8");
    const at = proof.indexOf('"data":"') + 20;
    writeFileSync(output, `${proof.slice(0, at)}${proof[at] === "0" ? "1" : "0"}${proof.slice(at + 1)}`);
    const wrong = await verified(output);
    expect(wrong.code).toBe(1);
    expect(wrong.lines[0]).toMatch(/^WRONG: operand, input 0 \(argument\/0\/inputs\): its bytes come to \w{64}/);
  });

  test("what it refuses", async () => {
    const output = join(scratch(), "op.json");
    await expect(verified(run, { op: { step: 3 }, from: 2 })).rejects.toThrow(/--from: one op is of one step/);
    await expect(verified(config(), { op: { step: 3 } })).rejects.toThrow(/a config has no steps to prove/);
    await expect(verified(run, { op: { step: 9, value: 40 } })).rejects.toThrow(ConfigError);
    writeFileSync(output, "{}");
    await expect(verified(output)).rejects.toThrow(/not a proof of an op/);
    await expect(verified(output, { backend: "wasm" })).rejects.toThrow(ConfigError);
    expect((await verified(run, { op: { step: 1, value: "result" }, output })).code).toBe(0);
    await expect(verified(output, { op: { step: 2 } })).rejects.toThrow(/the proof of another op/);
    await expect(verified(output, { op: { step: 1, value: "parameter/0.bias" } })).rejects.toThrow(
      /--op: .* is a proof: it names its value by number/,
    );
    await expect(verified(run, { op: { step: 1 }, output: join(output, "below") })).rejects.toThrow(
      /--output .*below: the file can't be written/,
    );
    for (const bad of ["", "0", "x", "1:", "-1:3"]) expect(() => parseOp(bad), bad).toThrow(/expected a step from 1/);
    expect(parseOp("12:parameter/0.weight")).toEqual({ step: 12, value: "parameter/0.weight" });
  });
});

describe("attestations", () => {
  test("keys, a signed share, and whose word counts", async () => {
    const folder = scratch();
    const [own, trusted] = [join(folder, "own.key"), join(folder, "trusted")];
    const { publicKey } = (await makeKeyFile(own)).json as { publicKey: string };
    const secret = JSON.parse(readFileSync(own, "utf8")).privateKey as string;
    writeFileSync(trusted, `${"0".repeat(64)} Somebody\n`);
    const judged = () => attestations([run], { trusted });
    expect(await judged()).toMatchObject({
      code: 1,
      lines: [`${run}: not attested: there is no statement about it in attestations.jsonl`],
    });
    const found = await verified(run, { share: 1, shareSeed: 3n, attest: own });
    expect(found.code, text(found)).toBe(0);
    expect(text(found)).toContain(
      `\nshare     drawn by seed 3\nattested  by ${publicKey}, in ${run}/attestations.jsonl\n`,
    );
    expect(await judged()).toMatchObject({ code: 1, json: { runs: [{ judged: [{ standing: "unknown key" }] }] } });
    writeFileSync(trusted, `${publicKey} Mine\n`);
    const confirmed = await judged();
    expect(confirmed.code).toBe(0);
    expect(text(confirmed)).toMatch(
      /: confirmed, 1 of 5 steps replayed and the same\n {2}Mine +same, steps \d to \d +wasm, 1 thread, node \S+ +counts$/,
    );
    for (const { lines, json } of [found, confirmed]) expect(lines.join() + JSON.stringify(json)).not.toContain(secret);
    await expect(verified(config(), { attest: own })).rejects.toThrow(/a config has no run to attest/);
    await expect(verified(run, { attest: trusted })).rejects.toThrow(ConfigError);
    await expect(verified(run, { share: 1, from: 2 })).rejects.toThrow(/--share: its draw says where/);
    await expect(verified(run, { share: 9 })).rejects.toThrow(/more steps than the run has/);
    await expect(verified(run, { op: { step: 1 }, attest: own })).rejects.toThrow(/--attest: one op is of one step/);
  });
});

describe("diff", () => {
  test("a run and its own config; a run and itself", async () => {
    const own = await compared(run, join(run, "config.yaml"));
    expect([own.code, text(own)]).toEqual([0, expect.stringContaining("the same program")]);
    const self = await compared(run, run);
    expect([self.code, self.lines.at(-1)]).toEqual([0, "the same"]);
  });

  test("two runs under two seeds", async () => {
    const found = await compared(run, await trained(config(["seed: 1234", "seed: 7"])));
    expect(found).toMatchObject({
      code: 1,
      json: { step: 0, op: { name: "randomWords" }, cause: { name: "another seed" } },
    });
    expect(text(found)).toContain("seed: 1234 | 7");
    expect(text(found)).toMatch(/they part at step 1: graph \w{16}, batch \w{16}, loss \S+ \(\w{8}\) \| graph/);
    expect(text(found)).toMatch(/\n {2}first value of parameter\/0\.weight at \S+:\d+:\d+\n/);
  });

  test("a run and a config with a constant changed in the 5th decimal; two configs", async () => {
    const found = await compared(run, config(beta), { backend: "reference,wasm" });
    expect(found.json).toMatchObject({
      step: 1,
      cause: { name: "changed constant", detail: "value 0.90001 in place of 0.9" },
    });
    expect(text(found)).toContain("trainer.init.optimizer.AdamW.betas[0]: 0.9 | 0.90001");
    const warm = config(["total_iters: 100}", "total_iters: 101}"]);
    const two = await compared(config(), warm, { steps: 3 });
    expect(two.json).toMatchObject({ step: 2, op: { kind: "input" }, cause: { name: "changed constant" } });
    expect(text(two)).toContain("total_iters: 100 | 101");
    const short = await compared(config(), warm, { steps: 1 });
    expect(short).toMatchObject({ code: 0, json: { equal: true, same: { steps: 1 } } });
    expect(short.lines.slice(-3)).toEqual([
      expect.stringContaining("nothing shows"),
      "",
      "the same for the first step",
    ]);
  });

  test("runs and configs of other lengths: as far as both go, and which goes on", async () => {
    const longer = config(["max_steps: 5", "max_steps: 7"]);
    const [other, own] = [await trained(longer), join(run, "config.yaml")];
    const goesOn = (a: string, b: string, first: number, last: number) =>
      `the same for the first ${first} steps: ${a} ends there, ${b} goes on to step ${last}`;
    const runs = await compared(run, other);
    expect([runs.code, runs.lines.at(-1)]).toEqual([1, goesOn(run, other, 5, 7)]);
    expect(runs.json).toMatchObject({ equal: false, same: { steps: 5 }, chain: { kind: "length", step: 6 } });
    expect(text(runs)).toContain("trainer.init.loop.max_steps: 5 | 7");
    expect(text(runs)).not.toContain("replayed");
    expect((await compared(run, other, { steps: 5 })).code).toBe(0);
    expect((await compared(run, other, { steps: 6 })).code).toBe(1);
    // What was never run is run, as far as both go.
    for (const [a, b] of [
      [run, longer],
      [own, longer],
    ]) {
      const found = await compared(a, b);
      expect([found.code, found.lines.at(-1)]).toEqual([1, goesOn(a, b, 5, 7)]);
    }
    expect((await compared(own, longer, { steps: 2 })).code).toBe(0);
  });

  test("what it refuses", async () => {
    await expect(compared(run, "no/such")).rejects.toThrow(ConfigError);
    await expect(compared(run, run, { backend: "wasm,wasm,wasm" })).rejects.toThrow(/not one backend or two/);
    await expect(compared(run, config(["    seed: 1234\n", ""]))).rejects.toThrow(
      /trainer\.init\.seed: a required key/,
    );
    await expect(compared(run, config(["seed: 1234", "seed: -1"]))).rejects.toThrow(/:3:11: /);
  });
});

describe("exit codes", () => {
  test.each<[string[], number, RegExp]>([
    [["verify", "RUN", "--steps", "2", "--json"], 0, /"equal":true/],
    [["verify", "RUN", "--op", "2:result", "--json"], 0, /"equal":true/],
    [["verify", "RUN", "--op", "2:none"], 2, /no such value: got none, expected one of result, /],
    [["verify", "RUN", "--op", "two"], 2, /expected a step from 1, or STEP:NODE/],
    [["diff", "RUN", "RUN", "--json"], 0, /"equal":true/],
    [["diff", "RUN", "BETA"], 1, /\n {2}adamW update of 0\.weight\n {2}element/],
    [["keys", "new", "KEY", "--json"], 0, /"publicKey":"\w{64}"/],
    [["attestations", "RUN"], 2, /required option '--trusted <file>' not specified/],
    [["diff", "--help"], 0, /0: the same[\s\S]*1: [\s\S]*goes on[\s\S]*2: /],
    [["diff", "RUN", "no/such", "--json"], 2, /"name":"ConfigError"/],
    [["diff", "RUN"], 2, /missing required argument/],
  ])("%j: %i", async (args, code, message) => {
    const files: Record<string, () => string> = {
      RUN: () => run,
      KEY: () => join(scratch(), "a.key"),
      BETA: () => config(beta),
    };
    const found = await call(args.map((arg) => files[arg]?.() ?? arg));
    expect(found.code, found.stderr).toBe(code);
    expect(found.stdout + found.stderr).toMatch(message);
  });
});
