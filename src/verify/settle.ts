// Where two runners disagree about a step, a third decides: both list the values of their own step, the first value that differs has operands that don't, and
// of the two proofs of its op one is wrong. The third replays nothing, and needs none of their backends.
import type { KeyPair } from "#sign";
import { toHex } from "../core/canonical.ts";
import { ConfigError } from "../core/errors.ts";
import { numericsId } from "../core/numerics.ts";
import { readChain } from "../run/chainfile.ts";
import { type Ruling, type Statement, signed } from "./attestation.ts";
import { verifyOpProof } from "./judgeop.ts";
import type { OpProof } from "./opproof.ts";
import { proveOp, type StepValues, stepValues } from "./prove.ts";
import type { ProveOptions } from "./restep.ts";

/** One who replayed a run, and shows what his own steps came to. */
export interface Disputant {
  /** Public key. */
  readonly key: string;
  values(step: number): Promise<StepValues>;
  prove(step: number, value: number): Promise<OpProof>;
}

/** A runner's side, shown here: the run replayed again as he did. */
export function disputant(folder: string, key: string, options: Omit<ProveOptions, "own">): Disputant {
  const own = { ...options, own: true };
  return {
    key,
    values: (step) => stepValues(folder, step, own),
    prove: (step, value) => proveOp(folder, step, value, own),
  };
}

/** Who is wrong, and where. */
export interface Settlement {
  readonly step: number;
  /** Of the step's values, where one op is to blame. */
  readonly value?: number;
  /** `matmul float32[16, 8]`, `the fused kernel that gives parameter/0.weight`; or why nobody could be found wrong. */
  readonly what: string;
  /** Public keys; none where it can't be decided. */
  readonly wrong: readonly string[];
  /** What is wrong with each one's proof, for a reader. */
  readonly why: readonly string[];
}

/** Finds the wrong one of two whose replays part at a step, by the chain's links; looks at steps before it, down to `from` + 1, where it began with another state. */
export async function settle(
  sides: readonly [Disputant, Disputant],
  { step: parting, from = 0 }: { readonly step: number; readonly from?: number },
): Promise<Settlement> {
  let later: readonly [StepValues, StepValues] | undefined;
  for (let step = parting; step > from; step--) {
    const lists = [await sides[0].values(step), await sides[1].values(step)] as const;
    const undecided = (what: string): Settlement => ({ step, what, wrong: [], why: [] });
    if (lists[0].graphHash !== lists[1].graphHash) return undecided("the two ran other graphs");
    const value = lists[0].values.findIndex(({ sha256 }, i) => sha256 !== lists[1].values[i].sha256);
    if (value < 0) {
      const found = fusedFault(sides, lists) ?? (later && brokenState(sides, lists, later));
      if (found) return { step, ...found };
      return undecided("nothing differs in the step that they show");
    }
    const { what } = lists[0].values[value];
    if (isState.test(what)) {
      later = lists;
      continue;
    }
    if (what.startsWith("input ")) return undecided(`the two were given another ${what}`);
    const found = await judged(sides, lists, step, value);
    return found.wrong.length > 0 ? { step, value, what, ...found } : undecided(`both proofs of ${what} are right`);
  }
  return { step: from, what: "the two began with other states", wrong: [], why: [] };
}

const isState = /^input ((?:parameter|buffer|optimizer)\/\S+) /;

/** A side that lists another state at the beginning of a step than it gave out in the one before. */
function brokenState(
  sides: readonly [Disputant, Disputant],
  lists: readonly [StepValues, StepValues],
  later: readonly [StepValues, StepValues],
): Omit<Settlement, "step"> | undefined {
  const broken = sides.flatMap(({ key }, i) => {
    const given = new Map(
      lists[i].values.flatMap(({ names, sha256, fused }) => names.map((name) => [name, fused ?? sha256])),
    );
    const other = later[i].values.find(({ what, sha256 }) => {
      const before = given.get(isState.exec(what)?.[1] ?? "");
      return before !== undefined && before !== sha256;
    });
    return other ? [{ key, what: other.what }] : [];
  });
  if (broken.length === 0) return undefined;
  const why = broken.map(({ what }) => `step ${later[0].step} begins with another ${what} than this step gave out`);
  return { what: "the state handed on", wrong: broken.map(({ key }) => key), why };
}

/** Ops one by one agree, but what a step's fused kernels gave isn't what its own ops give. */
function fusedFault(
  sides: readonly [Disputant, Disputant],
  lists: readonly [StepValues, StepValues],
): Omit<Settlement, "step"> | undefined {
  const faults = sides.flatMap(({ key }, i) => {
    const other = lists[i].values.find(({ fused }) => fused !== undefined);
    return other ? [{ key, other }] : [];
  });
  if (faults.length === 0) return undefined;
  const { value, names } = faults[0].other;
  const why = faults.map(({ other }) => `it gave out ${other.fused}, its ops one by one give ${other.sha256}`);
  return { value, what: `the fused kernel that gives ${names[0]}`, wrong: faults.map(({ key }) => key), why };
}

/** Both proofs of a value: each must be of what its side listed, and right. */
async function judged(
  sides: readonly [Disputant, Disputant],
  lists: readonly [StepValues, StepValues],
  step: number,
  value: number,
): Promise<Pick<Settlement, "wrong" | "why">> {
  const wrong: string[] = [];
  const why: string[] = [];
  for (const [i, { key, prove }] of sides.entries()) {
    const proof = await prove(step, value);
    const { root, link, values } = lists[i];
    const own = [...proof.operands, proof.result];
    const listed =
      proof.root === root &&
      proof.link.hash === link &&
      proof.step === step &&
      proof.result.value === value &&
      own.every((each) => values[each.value]?.sha256 === each.sha256);
    const { difference } = verifyOpProof(proof, { where: `the proof of ${key.slice(0, 16)}` });
    const fault = listed ? difference : "the proof isn't of what was listed";
    if (fault === undefined) continue;
    wrong.push(key);
    why.push(fault);
  }
  return { wrong, why };
}

/** The ruling that a settlement comes to, signed by the third. Throws ConfigError where nobody was found wrong, or the third is one of the two. */
export function rulingOf(folder: string, parting: number, { step, what, wrong }: Settlement, keys: KeyPair): Statement {
  if (wrong.length === 0 || wrong.includes(keys.publicKey)) {
    throw new ConfigError({
      where: "ruling",
      problem: wrong.length === 0 ? "nobody was found wrong" : "who was found wrong can't rule",
      got: what,
    });
  }
  const link = readChain(`${folder}/chain.bin`, parting)[parting - 1];
  const ruling: Ruling = {
    format: "seedgrad/ruling/1",
    numericsId,
    link: toHex(link.hash),
    to: parting,
    step,
    what,
    wrong,
  };
  return signed(ruling, keys);
}
