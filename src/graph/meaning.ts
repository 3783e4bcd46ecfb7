// What ops mean, as graph hashes hold it: the hash of an expression's text, or the number of a version. Ops say it when they are defined.
import { TraceError } from "../core/errors.ts";
import type { Node } from "./node.ts";

/** What a node means: a 32-byte hash of its expression, or the version of its op; and, as text, all that decides which of its op's meanings it has. */
export interface Meaning {
  readonly key: string;
  readonly is: Uint8Array | number;
}

const meanings = new Map<string, (node: Node) => Meaning>();

/** Says what nodes of an op mean. */
export function defineMeaning(op: string, meaning: (node: Node) => Meaning): void {
  meanings.set(op, meaning);
}

/** What a node means. Throws TraceError for an op that nobody defined. */
export function meaningOf(node: Node): Meaning {
  const meaning = meanings.get(node.op) ?? refuseOp("graph", node.op);
  return meaning(node);
}

/** The error for an op that nobody defined. */
export function refuseOp(where: string, op: string): never {
  throw new TraceError({
    where,
    problem: "an op that isn't defined",
    got: op,
    hint: 'import the family that it is of, as in import "seedgrad/ops/linalg"',
  });
}
