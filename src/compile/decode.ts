// A graph read back from the bytes that its hash is of, so that whoever has these bytes alone can compute a node of it. Constants have no elements
// there: their SHA-256 is what the bytes hold.
import { toHex } from "../core/canonical.ts";
import { Decoder } from "../core/decoder.ts";
import { type DType, dtypes } from "../core/dtype.ts";
import { ReproError, refuse } from "../core/errors.ts";
import { numericsId } from "../core/numerics.ts";
import { checkShape, type Shape } from "../core/shape.ts";
import { type Attributes, Node } from "../graph/node.ts";
import { type Meaning, meaningsIn } from "../ops/meaning.ts";

/** A graph as its bytes hold it. */
export interface DecodedGraph {
  readonly seed: bigint;
  /** Names of the inputs, which are the first of the values. */
  readonly inputs: readonly string[];
  /** Inputs, then nodes in making order, by number. Draws are counted from the step's base. */
  readonly values: readonly Node[];
  /** SHA-256 of the elements of values that are constants, 64 hex digits, by number. */
  readonly contents: ReadonlyMap<number, string>;
  readonly outputs: readonly { readonly name: string; readonly value: number }[];
  readonly draws: number;
}

/** Reads a graph's bytes. Throws DataError naming `where` for bytes that are no graph's, ReproError for another numerics id, and for ops that mean something else in this version. */
export function decodeGraph(where: string, bytes: Uint8Array): DecodedGraph {
  const from = new Decoder(where, bytes);
  const format = from.string();
  if (format !== "seedgrad/graph/1") from.refuse("not a graph's bytes", format, "seedgrad/graph/1");
  const id = from.string();
  if (id !== numericsId)
    refuse(ReproError, where, "a graph of another numerics id, under which operations mean other bits", id, numericsId);
  const seed = from.u64();
  const values: Node[] = [];
  const contents = new Map<number, string>();
  const at = (number: number): Node =>
    values[number] ?? from.refuse("a value that isn't before it", `number ${number}`);
  const inputs = from.list(() => {
    const name = from.string();
    const dtype = readDType(from);
    const shape = readShape(where, from);
    values.push(new Node({ op: "input", dtype, shape, attributes: { dtype }, unsited: true }));
    return name;
  });
  from.list(() => {
    const op = from.string();
    const dtype = readDType(from);
    const shape = readShape(where, from);
    const attributes = from.value() as Attributes;
    if (typeof attributes !== "object" || attributes === null) from.refuse("a node without attributes", op);
    const operands = from.list(() => at(from.u32()));
    const drawn = from.u8();
    const draws = drawn === 0 ? undefined : { offset: from.count(), count: from.count() };
    if (op === "constant" && attributes.content instanceof Uint8Array)
      contents.set(values.length, toHex(attributes.content));
    values.push(new Node({ op, dtype, shape, inputs: operands, attributes, draws, unsited: true }));
  });
  const meanings = from.list(() => (from.u8() === 0 ? from.u32() : toHex(from.bytes(32))));
  const outputs = from.list(() => {
    const name = from.string();
    const value = from.u32();
    at(value);
    return { name, value };
  });
  const draws = from.count();
  from.end();
  const computed = values.filter((_, number) => number >= inputs.length && !contents.has(number));
  checkMeanings(where, computed, meanings);
  return { seed, inputs, values, contents, outputs, draws };
}

function readShape(where: string, from: Decoder): Shape {
  const extents = from.list(() => from.count());
  return checkShape(where, extents);
}

function readDType(from: Decoder): DType {
  const name = from.string();
  return dtypes.find((dtype) => dtype === name) ?? from.refuse("not a dtype", name, dtypes.join(", "));
}

/** Throws ReproError where an op means something else here: what it gives would say nothing of the graph's. */
function checkMeanings(where: string, nodes: readonly Node[], recorded: readonly (number | string)[]): void {
  const text = (is: Meaning["is"]) => (typeof is === "number" ? is : toHex(is));
  const all = meaningsIn(nodes);
  const other = all.findIndex(({ is }, i) => text(is) !== recorded[i]);
  if (other < 0 && all.length === recorded.length) return;
  throw new ReproError({
    where,
    problem: other < 0 ? "meanings of ops that it doesn't hold" : `another meaning of ${all[other].node.op} than here`,
    got: other < 0 ? `${recorded.length}` : `${recorded[other] ?? "none"}`,
    expected: other < 0 ? `${all.length}` : `${text(all[other].is)}`,
    hint: "judge it with the version that made it",
  });
}
