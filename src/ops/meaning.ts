// What an op means, for the graph's hash: an elementwise record's expression says it itself, any other record has a version.
import { input } from "../../kernels/expr.ts";
import { expressionText } from "../../kernels/text.ts";
import { Encoder, sha256, toHex } from "../core/canonical.ts";
import type { DType } from "../core/dtype.ts";
import { remembered } from "../core/remembered.ts";
import { type Body, loopAttributes, loopOf } from "../graph/body.ts";
import type { Node } from "../graph/node.ts";
import { recordOf } from "./define.ts";
import type { ElementwiseRecord, LoopRecord, OpRecord } from "./record.ts";
import { terms } from "./terms.ts";

/** What a node means: a 32-byte hash of its expression, or the version of its op; and, as text, all that decides which of its op's meanings it has. */
export interface Meaning {
  readonly key: string;
  readonly is: Uint8Array | number;
}

const meanings = new WeakMap<OpRecord, (node: Node) => Meaning>();

/** What a node means. Throws TraceError for an op that nobody defined. */
export function meaningOf(node: Node): Meaning {
  return remembered(meanings, recordOf(node), meaningsOf)(node);
}

/** What nodes mean, each meaning once, with the first node that has it. */
export function meaningsIn(nodes: Iterable<Node>): { readonly node: Node; readonly is: Meaning["is"] }[] {
  const found = new Map<string, { readonly node: Node; readonly is: Meaning["is"] }>();
  for (const node of nodes) {
    const { key, is } = meaningOf(node);
    if (!found.has(key)) found.set(key, { node, is });
  }
  return [...found.values()];
}

/** The meanings of a record's nodes. */
function meaningsOf(record: OpRecord): (node: Node) => Meaning {
  if (record.kind === "elementwise") return expressionMeanings(record);
  if (record.kind === "repeat") return loopMeanings(record);
  const meaning = { key: record.name, is: record.version };
  return () => meaning;
}

/** What the nodes of its body mean, each once, in their order. */
function loopMeanings({ name, version }: LoopRecord): (node: Node) => Meaning {
  const known = new WeakMap<Body, Meaning>();
  const ofLoop = (node: Node): Meaning => {
    const { values, leaves } = loopOf(node);
    const encoder = new Encoder().u32(version);
    for (const { is } of meaningsIn(values.slice(leaves.length))) encoder.value(is);
    const is = sha256(encoder.finish());
    return { key: `${name} ${toHex(is)}`, is };
  };
  return (node) => remembered(known, loopAttributes(node).body, () => ofLoop(node));
}

/** Meanings of one op that are kept: a sampler's bounds may be others at every step. */
const mostMeanings = 1024;

/** The text of what an elementwise record's node computes, whose SHA-256 is its meaning. */
export function textOf(
  { value }: ElementwiseRecord,
  { inputs, attributes }: Pick<Node, "inputs" | "attributes">,
): string {
  const operands = inputs.map(({ dtype }, i) => input(i, dtype));
  return expressionText(value(operands, terms, attributes));
}

/** The hash of the record's expression on a node's operands with its attributes, kept for each of these. */
function expressionMeanings(record: ElementwiseRecord): (node: Node) => Meaning {
  const { name } = record;
  const known = new Map<string, Meaning>();
  /** Most nodes of an op have no attributes, and the dtypes of the one before. */
  let last: { readonly dtypes: readonly DType[]; readonly meaning: Meaning } | undefined;
  return ({ inputs, attributes }) => {
    const isPlain = isEmpty(attributes);
    if (isPlain && last?.dtypes.every((dtype, i) => dtype === inputs[i].dtype)) return last.meaning;
    let key = name;
    for (const { dtype } of inputs) key += ` ${dtype}`;
    if (!isPlain) key += ` ${toHex(new Encoder().value(attributes).finish())}`;
    let meaning = known.get(key);
    if (!meaning) {
      meaning = { key, is: sha256(new TextEncoder().encode(textOf(record, { inputs, attributes }))) };
      if (known.size === mostMeanings) known.clear();
      known.set(key, meaning);
    }
    if (isPlain) last = { dtypes: inputs.map(({ dtype }) => dtype), meaning };
    return meaning;
  };
}

function isEmpty(record: object): boolean {
  for (const _ in record) return false;
  return true;
}
