// One tensor, or 64 KiB of it, shown by itself to be part of a run's final state: who has the run's digest needs the tensor's elements and some
// hundred bytes of hashes for it, and not the checkpoint.
import {
  checkArguments,
  count,
  dtype as dtypeKind,
  kind,
  listOf,
  number,
  options as optionsOf,
  shape as shapeKind,
  signature,
  string,
  typedArray,
} from "../core/arguments.ts";
import { canonicalBytes, fromHex, toHex } from "../core/canonical.ts";
import type { DType, TypedArray } from "../core/dtype.ts";
import { DataError, refuse } from "../core/errors.ts";
import { checkShape } from "../core/shape.ts";
import { leafHash, merklePath, merkleRoot, rootOfPath } from "../io/merkle.ts";
import { blockHashes, blockSize, sortedTensors, tensorDigest, tensorHash } from "../io/state.ts";
import { digestOf } from "./chain.ts";
import { isOfRun, loadCheckpoint } from "./checkpoint.ts";

/** Where a leaf stands in its tree, and the hashes beside its way to the root, lowest first: 64 hex digits each. */
export interface ProofPath {
  readonly index: number;
  readonly count: number;
  readonly path: readonly string[];
}

/** What goes with a tensor's elements so that the run's digest can be computed from them. As JSON it can be sent. */
export interface TensorProof {
  /** h_T of the run's chain, 64 hex digits. */
  readonly link: string;
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
  /** The tensor among all of the state, by name. */
  readonly tensor: ProofPath;
  /** The block of 64 KiB among those of the tensor, where it is of one block alone. */
  readonly block?: ProofPath;
}

const pathOf = (leaves: readonly Uint8Array[], index: number): ProofPath => ({
  index,
  count: leaves.length,
  path: merklePath(leaves, index).map(toHex),
});

const hash = kind("64 hex digits", (value) => typeof value === "string" && /^[0-9a-f]{64}$/.test(value));
const path = optionsOf<ProofPath>({ index: count, count, path: listOf(hash, "a list of hashes") });
const calls = {
  prove: signature("proveTensor", {
    checkpoint: string,
    name: string,
    "options?": optionsOf<{ block?: number }>({ "block?": number }),
  }),
  digest: signature("digestOfProof", {
    proof: optionsOf<TensorProof>({
      link: hash,
      name: string,
      dtype: dtypeKind,
      shape: shapeKind,
      tensor: path,
      "block?": path,
    }),
    data: typedArray,
  }),
};

/** Proves a tensor of a run's final checkpoint, or one block of it, and gives the elements that are proved. Throws DataError for a tensor or block that isn't there, CheckpointError for a file that is none. */
export function proveTensor(
  checkpoint: string,
  name: string,
  options: { readonly block?: number } = {},
): { readonly proof: TensorProof; readonly data: TypedArray } {
  checkArguments(calls.prove, arguments);
  const { block } = options;
  const { state, tensors } = loadCheckpoint(checkpoint);
  const sorted = sortedTensors([...tensors].filter(isOfRun));
  const index = sorted.findIndex(([other]) => other === name);
  if (index < 0) refuse(DataError, checkpoint, "no tensor of the run has this name", name);
  const [, { data, dtype, shape }] = sorted[index];
  const tensor = pathOf(
    sorted.map(([other, array]) => tensorDigest(other, array)),
    index,
  );
  const proof = { link: state.chain, name, dtype, shape, tensor };
  if (block === undefined) return { proof, data };
  const blocks = blockHashes(data);
  if (!Number.isInteger(block) || block < 0 || block >= blocks.length)
    refuse(DataError, `${checkpoint}: ${name}`, "no such block", String(block), `an integer in [0, ${blocks.length})`);
  const size = blockSize / data.BYTES_PER_ELEMENT;
  return {
    proof: { ...proof, block: pathOf(blocks, block) },
    data: data.slice(block * size, (block + 1) * size),
  };
}

/** The digest (without a mark) of the run that elements are part of, if the proof is theirs: equal to the published one, they are. Throws DataError for a proof that is none, ShapeError for a shape that is none. */
export function digestOfProof(proof: TensorProof, data: TypedArray): string {
  checkArguments(calls.digest, arguments);
  const { link, name, dtype, tensor, block } = proof;
  const shape = checkShape(`proof of ${name}`, proof.shape);
  const dataRoot = block ? climb(name, leafHash(canonicalBytes(data)), block) : merkleRoot(blockHashes(data));
  return digestOf(fromHex(link), climb(name, tensorHash(name, { dtype, shape }, dataRoot), tensor));
}

function climb(name: string, leaf: Uint8Array, { index, count, path }: ProofPath): Uint8Array {
  const root = rootOfPath(leaf, index, count, path.map(fromHex));
  const got = `${path.length} hashes for leaf ${index} of ${count}`;
  if (!root) refuse(DataError, `proof of ${name}`, "the path isn't one of this leaf", got);
  return root;
}
