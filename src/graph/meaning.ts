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
  const meaning = meanings.get(node.op);
  if (meaning) return meaning(node);
  throw new TraceError({ where: "graph", problem: "an op that isn't defined", got: node.op, hint: node.site });
}
