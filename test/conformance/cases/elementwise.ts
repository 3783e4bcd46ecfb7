// Elementwise ops over their samples and every way to broadcast: all from the records.

import type { DType } from "../../../src/core/dtype.ts";
import type { Shape } from "../../../src/core/shape.ts";
import { samplesOf } from "../../../src/ops/samples.ts";
import { terms } from "../../../src/ops/terms.ts";
import "../../../src/ops/activations.ts";
import "../../../src/ops/arithmetic.ts";
import "../../../src/ops/bits.ts";
import "../../../src/ops/power.ts";
import "../../../src/ops/transcendental.ts";
import type { Attributes } from "../../../src/graph/node.ts";
import { allRecords, broadcastOperands, makeNode } from "../../../src/ops/define.ts";
import type { ElementwiseRecord } from "../../../src/ops/record.ts";
import { arrayOf, type Data, testData, testWords } from "../../support/graphs.ts";
import { acceptedDTypes, type Computation, dtypes, tuples } from "./case.ts";

/** Attributes that an elementwise op needs, where it needs some; the key is what the attribute says, not the op's name. */
export function attributeSets(record: ElementwiseRecord): Attributes[] {
  const needed = new Set<string>();
  const spy = new Proxy({} as Attributes, {
    get(_, key) {
      needed.add(String(key));
      return undefined;
    },
  });
  for (const combination of tuples(dtypes, record.inputs)) {
    try {
      record.dtype(combination, spy, record.name);
      record.value(
        combination.map((type, index) => ({ kind: "input", type, index })),
        terms,
        spy,
      );
    } catch {
      // A rule that refuses has read what it needed.
    }
  }
  if (needed.has("dtype")) return dtypes.map((dtype) => ({ dtype }));
  if (needed.has("format")) return [{ format: "bfloat16" }, { format: "float16" }];
  if (needed.has("threshold"))
    return [0, 1, 2 ** 31, 3865470566, 2 ** 32 - 1, 2 ** 32].map((threshold) => ({ threshold }));
  // A range of a sampler: one where rounding reaches its end, one of two subnormals, one that ends at 0.
  if (needed.has("low")) {
    const ranges = [
      [-2, 5],
      [1, 2],
      [2 ** 23, 2 ** 23 + 1],
      [-1.4e-45, 1.4e-45],
      [-1, 0],
      [-3, -2],
    ];
    return [{}, ...ranges.map(([low, high]) => ({ low: Math.fround(low), high: Math.fround(high) }))];
  }
  return [{}];
}

const integerEdges = [0, 1, -1, 2, -7, 46341, -46341, 65535, 65536, 2 ** 24 + 1, 2 ** 31 - 1, -(2 ** 31), 1 - 2 ** 31];

/** Points an op is tried at: its edges, then points of its range, then floats of any size where it takes floats. */
function samplePoints(record: ElementwiseRecord, dtype: DType): number[] {
  const next = testWords(17);
  const {
    range: [low, high],
    edges,
  } = samplesOf(record);
  switch (dtype) {
    case "bool":
      return [0, 1];
    case "int32":
      return integerEdges;
    case "uint32":
      return [0, 1, 65535, 65536, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, ...Array.from({ length: 40 }, () => next())];
    case "float32":
      return [
        ...edges,
        ...[
          1.5, 2.5, -2.5, 2147483520, 2147483648, -2147483648, -2147483904, 4294967296, 16777216, 8388609, 1.4e-45,
          1.17549435e-38,
        ],
        ...Array.from({ length: 40 }, () => low + (next() / 2 ** 32) * (high - low)),
      ];
  }
}

/** Operands that meet every point with every other (with a selection of the others beyond two operands). */
function crossed(record: ElementwiseRecord, combination: readonly DType[]): Data[] {
  const lists = combination.map((dtype) => samplePoints(record, dtype));
  const columns: number[][] = combination.map(() => []);
  if (lists.length <= 2) {
    for (const a of lists[0]) {
      for (const b of lists[1] ?? [0]) [a, b].slice(0, lists.length).forEach((value, i) => columns[i].push(value));
    }
  } else {
    const next = testWords(5);
    for (let i = 0; i < 600; i++) lists.forEach((list, at) => columns[at].push(list[next() % list.length]));
  }
  return columns.map((values, i) => ({
    dtype: combination[i],
    shape: [values.length],
    data: arrayOf(combination[i], values),
  }));
}

function applyElementwise(record: ElementwiseRecord, attributes: Attributes): Computation["build"] {
  return (...inputs) => {
    const operands = broadcastOperands(record.name, inputs);
    return makeNode(record.name, operands, operands[0].shape, attributes);
  };
}

/** Each elementwise op over its samples for each dtype and attribute it takes. */
export function elementwiseCases(): Computation[] {
  return allRecords().flatMap((record) => {
    if (record.kind !== "elementwise") return [];
    return attributeSets(record).flatMap((attributes) =>
      acceptedDTypes(record, record.inputs, attributes).map((combination): Computation => {
        const detail = Object.keys(attributes).length ? ` ${JSON.stringify(attributes)}` : "";
        return {
          name: `${record.name} of ${combination.join(", ")}${detail}`,
          inputs: crossed(record, combination),
          build: applyElementwise(record, attributes),
        };
      }),
    );
  });
}

/** Every way two operands of up to three axes can broadcast (each axis full, 1 or not there), for the first op of two operands; some ways for the others. */
export function broadcastCases(): Computation[] {
  const target = [2, 3, 4];
  const patterns: Shape[] = [0, 1, 2, 3].flatMap((rank) =>
    tuples([true, false], rank).map((full) => target.slice(3 - rank).map((extent, i) => (full[i] ? extent : 1))),
  );
  let everyPattern = true;
  return allRecords().flatMap((record) => {
    if (record.kind !== "elementwise" || record.inputs < 2) return [];
    const combination = acceptedDTypes(record, record.inputs)[0];
    const pairs =
      everyPattern && record.inputs === 2
        ? patterns.flatMap((a) => patterns.map((b) => [a, b]))
        : [
            [[3, 1], [1, 4], [4]],
            [[], [5], []],
            [[2, 1, 3], [4, 1], [1]],
            [[0, 3], [1], [3]],
          ].map((shapes) => shapes.slice(0, record.inputs));
    if (record.inputs === 2) everyPattern = false;
    return pairs.map(
      (shapes): Computation => ({
        name: `${record.name} broadcasts ${shapes.map((shape) => `[${shape}]`).join(" ")}`,
        inputs: shapes.map((shape, i) => testData(shape, combination[i], [0.5, 4], i + 1)),
        build: applyElementwise(record, {}),
      }),
    );
  });
}
