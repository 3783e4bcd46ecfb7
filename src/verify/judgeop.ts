// One op judged from its proof alone: every hash that the proof gives is made again, and the op is computed from its operands by its meaning. No step is
// replayed, and no run's folder is needed.
import { exists } from "#files";
import { meaningOf } from "../backend/reference/node.ts";
import { type DecodedGraph, decodeGraph } from "../compile/decode.ts";
import { checkArguments, kind, options as optionsOf, signature, string } from "../core/arguments.ts";
import { fromHex, sha256Hex, toHex } from "../core/canonical.ts";
import { ConfigError, DataError, refuse, SeedgradError } from "../core/errors.ts";
import { typeText } from "../core/shape.ts";
import type { Node } from "../graph/node.ts";
import { meaningOf as graphMeaning } from "../ops/meaning.ts";
import { readChain } from "../run/chainfile.ts";
import type { Check, Verdict } from "../run/verification.ts";
import { sameElements } from "./bits.ts";
import { Checks } from "./checks.ts";
import { valuesAt } from "./input.ts";
// A proof may be of any op: all of them are defined by these.
import "../tensor/members/activations.ts";
import "../tensor/members/arrays.ts";
import "../tensor/members/attention.ts";
import "../tensor/members/basic.ts";
import "../tensor/members/distributions.ts";
import "../tensor/members/fft.ts";
import "../tensor/members/images.ts";
import "../tensor/members/linalg.ts";
import "../tensor/members/math.ts";
import "../tensor/members/normalization.ts";
import "../tensor/members/sorting.ts";
import "../tensor/scan.ts";
import { isOpProof, type OpProof, type ProvedValue, stepCommitment } from "./opproof.ts";
import {
  checkBranches,
  checkGiven,
  checkLink,
  checkStates,
  checkValue,
  elementsOf,
  type StateDigests,
  unequal,
} from "./oprows.ts";

/** What a proof comes to. */
export interface OpVerification extends StateDigests {
  readonly verdict: Verdict;
  readonly equal: boolean;
  readonly step: number;
  /** The op's number among the step's values. */
  readonly value: number;
  /** `matmul(float32[16, 4], float32[4, 8]) float32[16, 8]`; undefined where the graph isn't what its hash says. */
  readonly op?: string;
  readonly graphHash: string;
  /** hₜ, 64 hex digits. */
  readonly link: string;
  /** Over all values of the step, and what stands for link and root together. */
  readonly root: string;
  readonly commitment: string;
  /** The first part that is wrong, for a reader. */
  readonly difference?: string;
  readonly checks: readonly Check[];
}

/** How a proof is judged. */
export interface JudgeOptions {
  /** What the proof is called in errors. */
  readonly where?: string;
  /** What it must be of: a run's folder, or 64 hex digits that are its graph's hash, link, root, commitment, or the run's digest before or after the step. */
  readonly against?: string;
}

const call = signature("verifyOpProof", {
  proof: kind("the proof of an op, as proveOp gives it", isOpProof),
  "options?": optionsOf<JudgeOptions>({ "where?": string, "against?": string }),
});

/**
 * Judges the proof of an op: by its hashes, and by computing the op from its operands. It says `different`, and what, where something is wrong. Throws DataError for a graph or an
 * op that can't be read, ReproError for one of other numerics, ConfigError for something else to hold it against.
 */
export function verifyOpProof(proof: OpProof, options: JudgeOptions = {}): OpVerification {
  checkArguments(call, arguments);
  const { where = "the proof", against } = options;
  const checks = new Checks();
  const found = (facts: Pick<OpVerification, "op" | "before" | "after"> = {}): OpVerification => ({
    ...checks.conclude({ difference: first(checks) }),
    step: proof.step,
    value: proof.result.value,
    graphHash: proof.graphHash,
    link: proof.link.hash,
    root: proof.root,
    commitment: stepCommitment(proof.link.hash, proof.root),
    ...facts,
  });
  const graphBytes = fromHex(proof.graph);
  checks.compared("graph", unequal(sha256Hex(graphBytes), proof.graphHash), proof.graphHash);
  if (checks.rows.some(({ found }) => found === "differs")) return found();
  const graph = guarded(where, "the graph can't be read", () => decodeGraph(`${where}: graph`, graphBytes));
  const node = opOf(where, proof, graph);
  checkLink(proof, checks);
  const all = [...proof.operands, proof.result];
  const nameOf = (each: ProvedValue) => nameIn(graph, proof, each);
  for (const each of all) checkValue(where, nameOf(each), each, graph, checks);
  checkBranches(proof, graph, nameOf, checks);
  const states = checkStates(proof, graph, nameOf, checks);
  checkGiven(where, proof, graph, nameOf, checks);
  checkExpression(proof, node, checks);
  checkResult(where, proof, graph, node, checks);
  if (against !== undefined) checkAgainst(against, { ...found(), ...states }, proof, checks);
  addTrusted(against, checks);
  return found({ op: opText(node), ...states });
}

const first = ({ rows }: Checks): string | undefined => {
  const row = rows.find(({ found }) => found === "differs");
  return row && `${row.what}: ${row.detail}`;
};

/** What goes wrong in reading a forged graph is said as such. */
function guarded<T>(where: string, problem: string, make: () => T): T {
  try {
    return make();
  } catch (cause) {
    if (cause instanceof SeedgradError) throw cause;
    throw new DataError({ where, problem, got: String(cause), cause });
  }
}

/** The op's node. Throws DataError where the proof's values aren't those that the graph has for it. */
function opOf(where: string, { result, operands }: OpProof, { values, inputs, contents }: DecodedGraph): Node {
  const node = values[result.value];
  if (!node)
    refuse(DataError, where, "the graph has no such value", `value ${result.value}`, `one of ${values.length}`);
  if (result.value < inputs.length)
    refuse(DataError, where, "an input of the step, which no op computes", `${result.value}, ${inputs[result.value]}`);
  const wanted = contents.has(result.value) ? [] : [...new Set(node.inputs)].map((input) => values.indexOf(input));
  const given = operands.map(({ value }) => value);
  if (wanted.join() !== given.join()) {
    const [got, expected] = [given, wanted].map((values) => values.join(", ") || "none");
    refuse(DataError, where, "operands that aren't the op's", `values ${got}`, expected);
  }
  return node;
}

/** `operand 3, node 17 (matmul)`, `result, node 20 (add)`. */
function nameIn({ values, inputs }: DecodedGraph, { result }: OpProof, { value }: ProvedValue): string {
  const what = value < inputs.length ? `input ${value} (${inputs[value]})` : `node ${value} (${values[value].op})`;
  return `${value === result.value ? "result" : "operand"}, ${what}`;
}

/** The expression, where it is given, is what the graph's bytes hold the hash of. */
function checkExpression({ expression }: OpProof, node: Node, checks: Checks): void {
  if (expression === undefined) return;
  const { is } = graphMeaning(node);
  const wanted = typeof is === "number" ? "none: the op has a version" : toHex(is);
  const made = sha256Hex(new TextEncoder().encode(expression));
  checks.compared("expression", made === wanted ? [] : [`its SHA-256 is ${made}, the graph has ${wanted}`], wanted);
}

/** The op, computed from its operands by its meaning. */
function checkResult(
  where: string,
  proof: OpProof,
  { seed, values, contents, draws }: DecodedGraph,
  node: Node,
  checks: Checks,
): void {
  const { operands, result, link } = proof;
  if (contents.has(result.value)) return;
  const given = new Map(operands.map(({ value, data }) => [values[value], elementsOf(values[value], data)]));
  const base = link.position - draws;
  if (base < 0) {
    throw new DataError({
      where: `${where}: link: position`,
      problem: "fewer draws than the step takes",
      got: String(link.position),
      expected: `at least ${draws}`,
    });
  }
  const meant = guarded(where, `${node.op} can't be computed from what the graph says`, () =>
    meaningOf(node)(
      node.inputs.map((input) => given.get(input)!),
      { seed, offset: base + (node.draws?.offset ?? 0) },
    ),
  );
  const own = elementsOf(node, result.data);
  if (sameElements(meant, own)) {
    checks.compared("op", [], opText(node));
    return;
  }
  const { element, count, size, first, second } = valuesAt(meant, own, node.shape);
  checks.compared("op", [
    `${opText(node)} gives other bits: element [${element.join(", ")}], the first of ${count} of ${size} that differ, is ${first}, the proof says ${second}`,
  ]);
}

/** Whether it is of the run that it should be of. */
function checkAgainst(
  against: string,
  { graphHash, link, root, commitment, before, after }: Omit<OpVerification, "checks">,
  { step, link: { previous } }: OpProof,
  checks: Checks,
): void {
  if (exists(`${against}/chain.bin`)) {
    const links = readChain(`${against}/chain.bin`, step);
    const at = (number: number) => (links[number - 1] ? toHex(links[number - 1].hash) : "no such step");
    const phrases = at(step) === link ? [] : [`the run's link is ${at(step)}`];
    if (step > 1 && at(step - 1) !== previous) phrases.push(`the link before is ${at(step - 1)}`);
    checks.compared(`step ${step} of ${against}`, phrases, link);
    return;
  }
  if (!/^[0-9a-f]{64}$/.test(against)) {
    throw new ConfigError({
      where: "against",
      problem: "nothing that the proof of an op is held against",
      got: against,
      expected: "a run's folder, or 64 hex digits",
    });
  }
  const own = {
    graph: graphHash,
    link,
    root,
    commitment,
    "digest before the step": before,
    "digest after the step": after,
  };
  const found = Object.entries(own).find(([, hash]) => hash === against);
  checks.compared("against", found ? [] : [`none of its hashes is ${against}`], found?.[0]);
}

/** What nothing in a proof shows. */
function addTrusted(against: string | undefined, checks: Checks): void {
  if (against === undefined)
    checks.trusted("graph and link", "that they are the run's: --against a run's folder, or a hash of it, shows it");
  checks.trusted("operands", "that they are what the ops before them give: each has a proof of its own");
}

function opText(node: Node): string {
  const operands = node.inputs.map(typeText);
  return `${node.op}(${operands.join(", ")}) ${typeText(node)}`;
}
