// What a proof of an op says of a step, held to itself: each hash made again from what it is of, and each value against what link and checkpoints hold of it.

import type { DecodedGraph } from "../compile/decode.ts";
import { canonicalBytes, fromHex, sha256Hex, toHex } from "../core/canonical.ts";
import { Decoder } from "../core/decoder.ts";
import { itemSize, makeArray, type TypedArray } from "../core/dtype.ts";
import { DataError } from "../core/errors.ts";
import { sizeOf, typeText } from "../core/shape.ts";
import type { Node } from "../graph/node.ts";
import { rootOfPath } from "../io/merkle.ts";
import { tensorDigest } from "../io/state.ts";
import { digestOf, linkHash } from "../run/chain.ts";
import type { Checks } from "./checks.ts";
import { type OpProof, type ProvedValue, valueLeaf } from "./opproof.ts";

/** The digests that the run had before and after the step, where a proof shows a tensor of that state. */
export interface StateDigests {
  readonly before?: string;
  readonly after?: string;
}

/** How bytes differ from their hash, a phrase, if they do. */
export const unequal = (made: string, given: string): string[] =>
  made === given ? [] : [`its bytes come to ${made}, the proof says ${given}`];

/** Elements out of canonical bytes. */
export function elementsOf({ dtype, shape }: Node, data: string): TypedArray {
  const bytes = fromHex(data);
  const array = makeArray(dtype, sizeOf(shape));
  if (array instanceof Uint8Array) {
    array.set(bytes);
    return array;
  }
  const view = new DataView(bytes.buffer);
  const words = new Uint32Array(array.buffer);
  for (let i = 0; i < words.length; i++) words[i] = view.getUint32(4 * i, true);
  return array;
}

export function checkLink({ link, graphHash, step }: OpProof, checks: Checks): void {
  const made = linkHash({
    previous: fromHex(link.previous),
    step,
    graphHash,
    position: link.position,
    batch: fromHex(link.batch),
    given: fromHex(link.given),
    lossBits: Number.parseInt(link.loss, 16),
  });
  checks.compared("link", unequal(toHex(made), link.hash), link.hash);
}

/** Elements by their hash, and by how many the shape has. */
export function checkValue(
  where: string,
  name: string,
  { value, data, sha256: digest }: ProvedValue,
  graph: DecodedGraph,
  checks: Checks,
): void {
  const { shape, dtype } = graph.values[value];
  const expected = sizeOf(shape) * itemSize(dtype);
  if (data.length / 2 !== expected) {
    throw new DataError({
      where: `${where}: ${name}`,
      problem: `not as many bytes as ${typeText({ dtype, shape })} has`,
      got: `${data.length / 2}`,
      expected: `${expected}`,
    });
  }
  const content = graph.contents.get(value);
  const made = sha256Hex(fromHex(data));
  const phrases = unequal(made, digest);
  if (content !== undefined && content !== made) phrases.push(`the graph's constant is ${content}`);
  if (toHex(canonicalBytes(elementsOf(graph.values[value], data))) !== data) phrases.push("a NaN that isn't 7fc00000");
  checks.compared(name, phrases, `SHA-256 ${digest}`);
}

/** Branches to the root. Where none of them leads there, it is the root that isn't theirs. */
export function checkBranches(
  { operands, result, root }: OpProof,
  { values }: DecodedGraph,
  nameOf: (value: ProvedValue) => string,
  checks: Checks,
): void {
  const all = [...operands, result];
  const reached = all.map(({ value, sha256: digest, path }) => {
    const { dtype, shape } = values[value];
    const leaf = valueLeaf(value, { dtype, shape }, fromHex(digest));
    const found = rootOfPath(leaf, value, values.length, path.map(fromHex));
    return found ? toHex(found) : "no root";
  });
  const same = new Set(reached).size === 1 && reached[0] !== "no root";
  if (same) {
    const what = all.length === 1 ? "root, or the one branch" : "root";
    checks.compared(
      what,
      reached[0] === root ? [] : [`the branches lead to ${reached[0]}, the proof says ${root}`],
      root,
    );
    return;
  }
  for (const [i, each] of all.entries())
    checks.compared(
      `branch of ${nameOf(each)}`,
      reached[i] === root ? [] : [`it leads to ${reached[i]}, not to ${root}`],
    );
}

/** Tensors of the state, against the roots of the checkpoints beside the step. */
export function checkStates(
  { operands, result, states = {}, link }: OpProof,
  { values, inputs, outputs }: DecodedGraph,
  nameOf: (value: ProvedValue) => string,
  checks: Checks,
): StateDigests {
  const digests: { before?: string; after?: string } = {};
  const check = (each: ProvedValue, side: "before" | "after", names: readonly string[], chain: string) => {
    const { state, value, data } = each;
    const root = states[side];
    if (!state) return;
    if (root === undefined) {
      checks.compared(`state ${side} the step: ${nameOf(each)}`, ["a branch to a root that isn't given"]);
      return;
    }
    const { name, index, count, path } = state;
    const { dtype, shape } = values[value];
    const leaf = tensorDigest(name, { dtype, shape, data: elementsOf(values[value], data) });
    const reached = rootOfPath(leaf, index, count, path.map(fromHex));
    const found = reached ? toHex(reached) : "no root";
    const phrases = names.includes(name) ? [] : [`it is ${names.join(", ") || "no tensor of the state"}, not ${name}`];
    if (found !== root) phrases.push(`its branch leads to ${found}, the proof says ${root}`);
    checks.compared(`state ${side} the step: ${nameOf(each)}`, phrases, name);
    digests[side] = digestOf(fromHex(chain), fromHex(root));
  };
  for (const each of operands)
    check(each, "before", each.value < inputs.length ? [inputs[each.value]] : [], link.previous);
  const named = outputs.flatMap(({ name, value }) => (value === result.value ? [name] : []));
  check(result, "after", named, link.hash);
  for (const side of ["before", "after"] as const)
    if (states[side] !== undefined && digests[side] === undefined)
      checks.compared(`state ${side} the step`, ["no value's branch leads to its root"]);
  return digests;
}

/** What the link says of values: numbers from the host, the loss, and the batch where it has no samples' numbers. */
export function checkGiven(
  where: string,
  { operands, result, link }: OpProof,
  { inputs, outputs }: DecodedGraph,
  nameOf: (value: ProvedValue) => string,
  checks: Checks,
): void {
  const given = new Decoder(`${where}: link: given`, fromHex(link.given));
  const numbers = new Map(given.list(() => [given.string(), given.u32()] as const));
  given.end();
  const bits = ({ data }: ProvedValue) => new DataView(fromHex(data).buffer).getUint32(0, true);
  const compare = (each: ProvedValue, wanted: number, of: string) => {
    const own = bits(each);
    const hex = (value: number) => value.toString(16).padStart(8, "0");
    const what = `link: ${of}, ${nameOf(each)}`;
    checks.compared(what, own === wanted ? [] : [`the bits are ${hex(own)}, the link has ${hex(wanted)}`], hex(wanted));
  };
  for (const each of operands) {
    const name = /^scalar\/(.*)$/s.exec(inputs[each.value] ?? "")?.[1];
    const wanted = name === undefined ? undefined : numbers.get(name);
    if (wanted !== undefined && each.data.length === 8) compare(each, wanted, name!);
  }
  const loss = outputs.some(({ name, value }) => name === "result" && value === result.value);
  if (loss && result.data.length === 8) compare(result, Number.parseInt(link.loss, 16), "loss");
}
