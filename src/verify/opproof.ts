// The proof of one op of a step, as a file holds it: the graph's bytes, what the step's link is the hash of, the op's operands and result with their
// branches to a Merkle root over all values of the step. docs/proof.md says it byte by byte.
import type { HostArray } from "../core/array.ts";
import { canonicalBytes, canonicalJson, Encoder, fromHex, sha256, toHex } from "../core/canonical.ts";
import { DataError, refuse } from "../core/errors.ts";
import { leafHash } from "../io/merkle.ts";
import { type FieldCheck, isCount, isHash, isRecord, isText, listOf, maybe, shaped, tryJson } from "../run/fields.ts";
import type { ProofPath } from "../run/inclusion.ts";

export const proofFormat = "seedgrad/op/1";

/** A value of the step: its elements, and the hashes beside its leaf's way to the root. */
export interface ProvedValue {
  /** Its number in the graph's bytes: inputs first, then nodes. */
  readonly value: number;
  /** Of the elements' canonical bytes. */
  readonly sha256: string;
  /** The elements' canonical bytes, in hex. */
  readonly data: string;
  readonly path: readonly string[];
  /** Where it is a tensor of the state, its leaf in that of the checkpoint beside the step. */
  readonly state?: ProofPath & { readonly name: string };
}

/** The proof of one op. Hashes and bytes are in hex. */
export interface OpProof {
  readonly format: typeof proofFormat;
  /** From 1. */
  readonly step: number;
  /** The bytes that the graph's hash is of. */
  readonly graph: string;
  readonly graphHash: string;
  readonly link: {
    /** hₜ. */
    readonly hash: string;
    /** hₜ₋₁. */
    readonly previous: string;
    readonly position: number;
    readonly batch: string;
    readonly given: string;
    /** The loss's float32 bits, 8 hex digits. */
    readonly loss: string;
  };
  /** Over the leaves of all the step's values. */
  readonly root: string;
  /** Of an elementwise op: the text whose SHA-256 the graph's bytes hold as its meaning. */
  readonly expression?: string;
  /** What the op is applied to, each once. */
  readonly operands: readonly ProvedValue[];
  readonly result: ProvedValue;
  /** Roots of the run's states before and after the step, where its folder has a checkpoint there. */
  readonly states?: { readonly before?: string; readonly after?: string };
}

/** The leaf of a value of a step: number u32 ‖ string dtype ‖ rank u32 ‖ extents u64 ‖ SHA-256 of its canonical bytes. */
export function valueLeaf(value: number, { dtype, shape }: Omit<HostArray, "data">, digest: Uint8Array): Uint8Array {
  const encoder = new Encoder().u32(value).string(dtype).u32(shape.length);
  for (const extent of shape) encoder.u64(extent);
  return leafHash(encoder.bytes(digest).finish());
}

/** What stands for a step whose values have this root: SHA-256(string "seedgrad/step/1" ‖ hₜ ‖ root), 64 hex digits. */
export function stepCommitment(link: string, root: string): string {
  return toHex(sha256(new Encoder().string("seedgrad/step/1").bytes(fromHex(link)).bytes(fromHex(root)).finish()));
}

/** A value's elements for a proof. */
export function provedBytes({ data }: Pick<HostArray, "data">): Pick<ProvedValue, "sha256" | "data"> {
  const bytes = canonicalBytes(data);
  return { sha256: toHex(sha256(bytes)), data: toHex(bytes) };
}

/** One line of canonical JSON. */
export function writeProof(proof: OpProof): string {
  return `${canonicalJson(proof)}\n`;
}

const isHex = (value: unknown): boolean => isText(value) && value.length % 2 === 0 && /^[0-9a-f]*$/.test(value);
const path = { index: isCount, count: isCount, path: listOf(isHash) };
/** A record whose members of these names hold, and that has no others: what nobody checks proves nothing. */
const only = (members: Parameters<typeof shaped>[0]) => {
  const holds = shaped(members);
  return (value: unknown): boolean =>
    holds(value) && Object.keys(value as object).every((key) => Object.hasOwn(members, key));
};
const isValue = only({
  value: isCount,
  sha256: isHash,
  data: isHex,
  path: listOf(isHash),
  state: maybe(only({ ...path, name: isText })),
});
const isBits = (value: unknown): boolean => isText(value) && /^[0-9a-f]{8}$/.test(value);
const valueForm = "a value: number, SHA-256, elements in hex, path";
const checks: Readonly<Record<Exclude<keyof OpProof, "format">, FieldCheck>> = {
  step: ["a step, from 1", (value) => isCount(value) && value !== 0],
  graph: ["hex", isHex],
  graphHash: ["64 hex digits", isHash],
  link: [
    "what a link is the hash of",
    only({ hash: isHash, previous: isHash, position: isCount, batch: isHex, given: isHex, loss: isBits }),
  ],
  root: ["64 hex digits", isHash],
  expression: ["a text", maybe(isText)],
  operands: [`a list: each ${valueForm}`, listOf(isValue)],
  result: [valueForm, isValue],
  states: ["roots before and after the step", maybe(only({ before: maybe(isHash), after: maybe(isHash) }))],
};

const isField = (name: string): boolean => name === "format" || Object.hasOwn(checks, name);

/** Whether a value is a proof, and has nothing else. */
export const isOpProof = (value: unknown): boolean =>
  isRecord(value) &&
  value.format === proofFormat &&
  Object.keys(value).every(isField) &&
  Object.entries(checks).every(([field, [, holds]]) => holds(value[field]));

/** The proof that a text holds. Throws DataError naming `where` and the field for one that holds none. */
export function readProof(where: string, text: string): OpProof {
  const shown = (value: unknown) => (JSON.stringify(value) ?? "nothing").slice(0, 100);
  const [noProof, noField] = ["not a proof of an op", "not what a proof holds"];
  const read = tryJson(text);
  if (read === undefined) refuse(DataError, where, noProof, "what is no JSON");
  if (!isRecord(read)) refuse(DataError, where, noProof, shown(read), "a record of JSON");
  if (read.format !== proofFormat) refuse(DataError, where, noProof, shown(read.format), proofFormat);
  for (const [field, [expected, holds]] of Object.entries(checks))
    if (!holds(read[field])) refuse(DataError, `${where}: ${field}`, noField, shown(read[field]), expected);
  const other = Object.keys(read).find((field) => !isField(field));
  if (other !== undefined) refuse(DataError, `${where}: ${other}`, noField, shown(read[other]), "no such field");
  return read as unknown as OpProof;
}
