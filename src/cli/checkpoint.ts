// `seedgrad checkpoint info|diff`: what checkpoints hold, and what two of them differ in, to the bit. Reading one checks it against its own
// digest. Any other safetensors file is shown too: it has metadata where a checkpoint has a state.
import { existsSync, statSync } from "node:fs";
import type { HostArray } from "../core/array.ts";
import { toHex } from "../core/canonical.ts";
import { CheckpointError, ConfigError } from "../core/errors.ts";
import { typeText } from "../core/shape.ts";
import { readSafetensors } from "../io/safetensors.ts";
import { tensorDigest } from "../io/state.ts";
import { checkpointOf, holdsState, listCheckpoints, type RunState } from "../run/checkpoint.ts";
import { differences, showElement, ulpDistance } from "../verify/bits.ts";
import { type Outcome, oneLine, requirePath, table } from "./command.ts";

interface Contents {
  /** A checkpoint's; undefined for a file of weights alone. */
  readonly state?: RunState;
  readonly metadata: Readonly<Record<string, string>>;
  readonly tensors: ReadonlyMap<string, HostArray>;
  readonly formats: ReadonlyMap<string, string>;
}

function contentsOf(path: string): Contents {
  requirePath("checkpoint", path);
  if (statSync(path).isDirectory())
    throw new ConfigError({ where: path, problem: "a folder", expected: "a checkpoint, or another safetensors file" });
  const file = readSafetensors(path);
  return holdsState(file) ? { ...file, state: checkpointOf(path, file).state } : file;
}

/** A checkpoint's state, or a file's metadata, and tensors; of a folder of checkpoints, or a run's, its index. */
export async function checkpointInfo(path: string): Promise<Outcome> {
  if (existsSync(path) && statSync(path).isDirectory()) return folderInfo(path);
  const contents = contentsOf(path);
  const { state, metadata, tensors, formats } = contents;
  const rows = [...tensors].map(([name, array]) => ({
    name,
    type: typeText(array),
    format: formats.get(name)!,
    sha256: toHex(tensorDigest(name, array)),
  }));
  return {
    code: 0,
    json: { path, ...(state ? { state } : { metadata }), tensors: rows },
    lines: [
      ...stateRows(contents).map(([key, value]) => `${key}: ${value}`),
      "",
      ...table([
        ["tensor", "type", "in the file", "SHA-256"],
        ...rows.map(({ name, type, format, sha256 }) => [name, type, format, sha256.slice(0, 16)]),
      ]),
    ],
  };
}

function folderInfo(path: string): Outcome {
  const folder = existsSync(`${path}/checkpoints`) ? `${path}/checkpoints` : path;
  const entries = listCheckpoints(folder);
  if (entries.length === 0) {
    throw new CheckpointError({
      where: path,
      problem: "there are no checkpoints",
      expected: "a run's folder, a folder of checkpoints, or a file",
    });
  }
  const numbers = ({ metrics = {} }: (typeof entries)[number]) =>
    Object.entries(metrics)
      .map(([name, value]) => `${name} ${value}`)
      .join(", ");
  return {
    code: 0,
    json: { folder, checkpoints: entries },
    lines: table([
      ["step", "file", "validation"],
      ...entries.map((entry) => [String(entry.step), entry.file, numbers(entry)]),
    ]),
  };
}

/** The state's fields, those of callbacks and metrics one by one; of a file without one its metadata. */
function stateRows({ state, metadata }: Contents): [string, string][] {
  return Object.entries(state ?? metadata).flatMap(([key, value]): [string, string][] =>
    typeof value === "object" && value !== null
      ? Object.entries(value).map(([name, item]) => [`${key}.${name}`, oneLine(item)])
      : [[key, String(value)]],
  );
}

/** What two checkpoints, or files of weights, differ in: fields of their states, and tensors with the elements that differ and by how much. Exit code 1 when something does. */
export async function checkpointDiff(a: string, b: string): Promise<Outcome> {
  const [first, second] = [contentsOf(a), contentsOf(b)];
  const [x, y] = [first, second].map((contents) => new Map(stateRows(contents)));
  const fields = [...new Set([...x.keys(), ...y.keys()])]
    .filter((key) => x.get(key) !== y.get(key))
    .map((field) => ({ field, a: x.get(field) ?? null, b: y.get(field) ?? null }));
  const tensors = tensorDifferences(first, second);
  const equal = fields.length + tensors.length === 0;
  const shown = fields.map(({ field, a: left, b: right }) => [field, left ?? "not there", right ?? "not there"]);
  return {
    code: equal ? 0 : 1,
    json: { equal, state: fields, tensors },
    lines: equal
      ? ["the same checkpoint"]
      : [
          ...(shown.length > 0 ? table([["state", a, b], ...shown]) : ["the same state"]),
          "",
          ...(tensors.length > 0 ? tensors.map(({ name, what }) => `${name}: ${what}`) : ["the same tensors"]),
        ],
  };
}

function tensorDifferences(a: Contents, b: Contents): { name: string; what: string }[] {
  const names = new Set([...a.tensors.keys(), ...b.tensors.keys()]);
  return [...names].flatMap((name) => {
    const what = difference(a.tensors.get(name), b.tensors.get(name));
    return what === undefined ? [] : [{ name, what }];
  });
}

function difference(x: HostArray | undefined, y: HostArray | undefined): string | undefined {
  if (!x || !y) return `only in the ${x ? "first" : "second"}`;
  if (typeText(x) !== typeText(y)) return `${typeText(x)} and ${typeText(y)}`;
  const { at, count } = differences(x.data, y.data);
  if (count === 0) return undefined;
  const distances = at.map((i) =>
    x.dtype === "float32" ? ulpDistance(x.data[i], y.data[i]) : Math.abs(x.data[i] - y.data[i]),
  );
  const largest = distances.reduce<number>((most, distance) => Math.max(most, distance ?? 0), 0);
  const unit = x.dtype === "float32" ? " ULP" : "";
  return `${count} of ${x.data.length} elements, at most ${largest}${unit} apart; first at ${at[0]}: ${showElement(x.data, at[0])} and ${showElement(y.data, at[0])}`;
}
