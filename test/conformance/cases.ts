// Every op's cases, generated from the records: what each backend must compute to the same bits as `reference`. An elementwise op's cases
// come from its record alone; the other kinds are described here by kind and shape.
import type { DType } from "../../src/core/dtype.ts";
import { type Shape, sizeOf } from "../../src/core/shape.ts";
import { type Attributes, type Node, reachable } from "../../src/graph/node.ts";
import { withTrace } from "../../src/graph/scope.ts";
import * as compare from "../../src/ops/compare.ts";
import * as composite from "../../src/ops/composite.ts";
import * as creation from "../../src/ops/creation.ts";
import {
  allRecords,
  broadcastOperands,
  broadcastTo,
  type ElementwiseRecord,
  makeNode,
  type OpRecord,
} from "../../src/ops/define.ts";
import * as elementwise from "../../src/ops/elementwise.ts";
import * as indexed from "../../src/ops/gather.ts";
import { matmul } from "../../src/ops/matmul.ts";
import * as movement from "../../src/ops/movement.ts";
import * as random from "../../src/ops/random.ts";
import * as reduce from "../../src/ops/reduce.ts";
import { arrayOf, type Data, roughData, testData, testWords } from "../support/graphs.ts";

/** One computation: inputs bound when run, and a node made from them. */
export interface Case {
  readonly name: string;
  readonly inputs: readonly Data[];
  readonly build: (...inputs: Node[]) => Node;
}

const dtypes: readonly DType[] = ["float32", "int32", "uint32", "bool"];
const floats = (shape: Shape, seed = 1) => testData(shape, "float32", [-4, 4], seed);

/** All lists of `count` out of `choices`. */
function tuples<T>(choices: readonly T[], count: number): T[][] {
  return count === 0 ? [[]] : tuples(choices, count - 1).flatMap((rest) => choices.map((choice) => [...rest, choice]));
}

/** The dtypes an op takes, by its own rule. */
export function acceptedDTypes(record: OpRecord, inputs: number, attributes: Attributes = {}): DType[][] {
  return tuples(dtypes, inputs).filter((combination) => {
    try {
      record.dtype(combination, attributes, record.name);
      return true;
    } catch {
      return false;
    }
  });
}

/** Attributes that an elementwise op needs, where it needs some; the key is what the attribute says, not the op's name. */
function attributeSets(record: ElementwiseRecord): Attributes[] {
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
        spy,
      );
    } catch {
      // A rule that refuses has read what it needed.
    }
  }
  if (needed.has("dtype")) return [{ dtype: "float32" }, { dtype: "int32" }, { dtype: "bool" }];
  if (needed.has("threshold"))
    return [0, 1, 2 ** 31, 3865470566, 2 ** 32 - 1, 2 ** 32].map((threshold) => ({ threshold }));
  return [{}];
}

const integerEdges = [0, 1, -1, 2, -7, 46341, -46341, 65535, 65536, 2 ** 24 + 1, 2 ** 31 - 1, -(2 ** 31), 1 - 2 ** 31];

/** Points an op is tried at: its edges, then points of its range, then floats of any size where it takes floats. */
function samplePoints(record: ElementwiseRecord, dtype: DType): number[] {
  const next = testWords(17);
  const [low, high] = record.samples.range;
  switch (dtype) {
    case "bool":
      return [0, 1];
    case "int32":
      return integerEdges;
    case "uint32":
      return [0, 1, 65535, 65536, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, ...Array.from({ length: 40 }, () => next())];
    case "float32":
      return [
        ...record.samples.edges,
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

function applyElementwise(record: ElementwiseRecord, attributes: Attributes): Case["build"] {
  return (...inputs) => {
    const operands = broadcastOperands(record.name, inputs);
    return makeNode(record.name, operands, operands[0].shape, attributes);
  };
}

/** Each elementwise op over its samples for each dtype and attribute it takes. */
function elementwiseCases(): Case[] {
  return allRecords().flatMap((record) => {
    if (record.kind !== "elementwise") return [];
    return attributeSets(record).flatMap((attributes) =>
      acceptedDTypes(record, record.inputs, attributes).map((combination): Case => {
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
function broadcastCases(): Case[] {
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
      (shapes): Case => ({
        name: `${record.name} broadcasts ${shapes.map((shape) => `[${shape}]`).join(" ")}`,
        inputs: shapes.map((shape, i) => testData(shape, combination[i], [0.5, 4], i + 1)),
        build: applyElementwise(record, {}),
      }),
    );
  });
}

/** Subsets of the axes of a rank. */
const axisSets = (rank: number) =>
  Array.from({ length: 2 ** rank }, (_, set) =>
    Array.from({ length: rank }, (_, axis) => axis).filter((axis) => set & (1 << axis)),
  );

/** Reductions: both orders around the borders of lanes, chunks and blocks; every set of axes; NaN, zeros of both signs, ties; empty. */
function reduceCases(): Case[] {
  const ties = [1, 3, -0, 0, 3, -Infinity, 3, 0, -0, Infinity, 2, Infinity, NaN, 5, NaN, 1];
  return allRecords().flatMap((record) => {
    if (record.kind !== "reduce") return [];
    const over = (axes: readonly number[]) => (x: Node) =>
      makeNode(
        record.name,
        [x],
        x.shape.filter((_, axis) => !axes.includes(axis)),
        { axes },
      );
    const cases: Case[] = [];
    for (const [dtype] of acceptedDTypes(record, 1)) {
      const data = (shape: Shape, seed = 3): Data =>
        dtype === "float32" ? roughData(shape, seed) : testData(shape, dtype, [-(2 ** 31), 2 ** 31], seed);
      const add = (name: string, x: Data, axes: readonly number[]) =>
        cases.push({ name: `${record.name} of ${dtype} ${name}`, inputs: [x], build: over(axes) });
      for (const size of [1, 2, 8, 15, 16, 17, 31, 33, 255, 256, 257, 511, 513, 1023, 1024, 1025, 2047, 2049, 3100]) {
        add(`[2, ${size}] over the last`, data([2, size]), [1]);
        add(`[${size}, 3] over the first`, data([size, 3]), [0]);
      }
      for (const axes of axisSets(4)) add(`[3, 17, 2, 5] over [${axes}]`, data([3, 17, 2, 5]), axes);
      add("[40, 30, 9] over [0, 2]", data([40, 30, 9]), [0, 2]);
      add("[30, 5, 37] over [1, 2]", data([30, 5, 37]), [1, 2]);
      add("of a scalar", data([]), []);
      add("[0, 4] over the last", data([0, 4]), [1]);
      if (dtype === "float32") {
        const special = arrayOf("float32", ties);
        const parts = [ties, ties.slice(0, 12), [-0, 0], [0, -0], [-0, -0], [NaN], [3, NaN], [NaN, 3]];
        add("ties and NaN", { dtype, shape: [ties.length], data: special }, [0]);
        for (const part of parts) {
          const row = arrayOf("float32", part);
          add(
            `of [${part.map((x) => (Object.is(x, -0) ? "-0" : x))}]`,
            { dtype, shape: [part.length], data: row },
            [0],
          );
          const column = arrayOf(
            "float32",
            part.flatMap((x) => [x, 1]),
          );
          add(`of column [${part}]`, { dtype, shape: [part.length, 2], data: column }, [0]);
        }
        add(
          "[20] of zeros and signs",
          {
            dtype,
            shape: [20],
            data: arrayOf(
              dtype,
              Array.from({ length: 20 }, (_, i) => (i % 3 ? -0 : 0)),
            ),
          },
          [0],
        );
      }
    }
    // Sums are the only ones with a value for nothing.
    if (record.combine === "sum") {
      for (const axes of [[0], [1], [0, 1]]) {
        const x = { dtype: "float32" as const, shape: axes.includes(0) ? [0, 4] : [4, 0], data: new Float32Array(0) };
        cases.push({ name: `${record.name} of nothing over [${axes}]`, inputs: [x], build: over(axes) });
      }
    }
    cases.push({
      name: `${record.name} of an expression over views`,
      inputs: [roughData([6, 5]), roughData([5, 1])],
      build: (a, b) => {
        const x = elementwise.mul(movement.transpose(a), b);
        return makeNode(record.name, [x], [5], { axes: [1] });
      },
    });
    return cases;
  });
}

function matmulCases(): Case[] {
  const cases: Case[] = [];
  const add = (name: string, a: Data, b: Data, build: Case["build"] = matmul) =>
    cases.push({ name: `matmul ${name}`, inputs: [a, b], build });
  const pair = (a: Shape, b: Shape) => add(`[${a}] · [${b}]`, roughData(a, 1), roughData(b, 2));
  for (const depth of [0, 1, 2, 3, 16, 255, 256, 257, 300, 511, 512, 513, 800]) pair([3, depth], [depth, 5]);
  for (const [rows, columns] of [
    [1, 1],
    [1, 9],
    [9, 1],
    [4, 8],
    [7, 13],
    [16, 16],
    [33, 17],
    [0, 3],
    [3, 0],
  ]) {
    pair([rows, 11], [11, columns]);
  }
  pair([5], [5]);
  pair([5], [5, 3]);
  pair([4, 5], [5]);
  pair([2, 3, 4], [4, 5]);
  pair([2, 3, 4], [2, 4, 5]);
  pair([3, 4], [2, 4, 5]);
  pair([2, 1, 3, 4], [3, 4, 2]);
  pair([1, 2, 3, 4], [5, 1, 4, 2]);
  pair([2, 0, 3, 4], [4, 2]);
  pair([0, 3, 4], [0, 4, 5]);
  pair([2, 3, 4], [4]);
  add("transposed left", roughData([300, 6]), roughData([300, 4]), (a, b) => matmul(movement.transpose(a), b));
  add("transposed right", roughData([6, 270]), roughData([4, 270]), (a, b) => matmul(a, movement.transpose(b)));
  add("both transposed", roughData([7, 6]), roughData([4, 7]), (a, b) =>
    matmul(movement.transpose(a), movement.transpose(b)),
  );
  add("of strided slices", roughData([9, 12]), roughData([12, 8]), (a, b) =>
    matmul(
      movement.slice(a, [
        [8, 0, -2],
        [1, 11, 2],
      ]),
      movement.slice(b, [
        [5, 10],
        [0, 8, 3],
      ]),
    ),
  );
  add("of padded operands", roughData([2, 3]), roughData([3, 2]), (a, b) =>
    matmul(
      movement.pad(a, [
        [1, 0],
        [0, 2],
      ]),
      movement.pad(
        b,
        [
          [1, 1],
          [0, 1],
        ],
        2,
      ),
    ),
  );
  add("of expressions", roughData([4, 6]), roughData([6, 3]), (a, b) =>
    matmul(elementwise.neg(a), elementwise.mul(b, 3)),
  );
  const special = (values: number[], shape: Shape): Data => ({
    dtype: "float32",
    shape,
    data: arrayOf("float32", values),
  });
  add(
    "of infinities, NaN, zeros of both signs and subnormals",
    special([Infinity, 0, -0, 1e-30, NaN, 1, 3e38, 3e38, -1e-25, -0, 0, 1], [4, 3]),
    special([0, 1, -0, 1e-20, -Infinity, 2, -3, -0, 1e-18], [3, 3]),
  );
  add("whose products cancel", special([1, 1e8, 1, -1e8], [1, 4]), special([1, 1, 1, 1], [4, 1]));
  return cases;
}

/** Movement: each op alone, and compositions, on every dtype. */
function movementCases(): Case[] {
  const m = movement;
  const moves: [string, Shape, (x: Node) => Node][] = [
    ["broadcastTo", [3, 1], (x) => broadcastTo(x, [2, 3, 4])],
    ["broadcastTo of a scalar", [], (x) => broadcastTo(x, [3, 2])],
    ["reshape", [2, 6], (x) => m.reshape(x, [3, -1])],
    ["transpose", [2, 3, 4], (x) => m.transpose(x, [2, 0, 1])],
    ["transpose of a matrix", [33, 17], (x) => m.transpose(x)],
    [
      "slice",
      [6, 7],
      (x) =>
        m.slice(x, [
          [1, 5],
          [0, 7, 3],
        ]),
    ],
    [
      "slice backwards",
      [6, 7],
      (x) =>
        m.slice(x, [
          [5, -Infinity, -2],
          [6, 1, -1],
        ]),
    ],
    ["slice of one index", [4, 5], (x) => m.slice(x, [-1])],
    ["slice of nothing", [4, 5], (x) => m.slice(x, [[2, 2]])],
    [
      "pad",
      [2, 3],
      (x) =>
        m.pad(
          x,
          [
            [1, 2],
            [0, 1],
          ],
          1,
        ),
    ],
    [
      "pad with zeros",
      [2, 3],
      (x) =>
        m.pad(x, [
          [0, 1],
          [2, 0],
        ]),
    ],
    [
      "pad of nothing",
      [0, 3],
      (x) =>
        m.pad(
          x,
          [
            [2, 1],
            [0, 1],
          ],
          1,
        ),
    ],
    ["flip", [3, 4], (x) => m.flip(x, [0, 1])],
    ["reshape of a transpose", [4, 6], (x) => m.reshape(m.transpose(x), [3, 8])],
    ["transpose of a reshape", [24], (x) => m.transpose(m.reshape(x, [2, 3, 4]), [1, 2, 0])],
    ["reshape of a broadcast", [3, 1], (x) => m.reshape(broadcastTo(x, [3, 4]), [12])],
    [
      "slice of a pad",
      [4, 4],
      (x) =>
        m.slice(
          m.pad(
            x,
            [
              [2, 2],
              [1, 1],
            ],
            1,
          ),
          [
            [1, 7, 2],
            [5, 0, -1],
          ],
        ),
    ],
    [
      "pad of a pad",
      [2, 2],
      (x) =>
        m.pad(
          m.pad(
            x,
            [
              [1, 1],
              [0, 0],
            ],
            1,
          ),
          [
            [1, 0],
            [1, 1],
          ],
        ),
    ],
    [
      "pad of a slice",
      [5, 5],
      (x) =>
        m.pad(
          m.slice(x, [
            [4, 0, -2],
            [1, 4],
          ]),
          [
            [1, 1],
            [2, 0],
          ],
          1,
        ),
    ],
    [
      "reshape of a pad",
      [2, 3],
      (x) =>
        m.reshape(
          m.pad(
            x,
            [
              [1, 1],
              [1, 0],
            ],
            1,
          ),
          [8, 2],
        ),
    ],
    [
      "transpose of a pad",
      [2, 3],
      (x) =>
        m.transpose(
          m.pad(
            x,
            [
              [1, 1],
              [1, 0],
            ],
            1,
          ),
        ),
    ],
    [
      "broadcast of a pad",
      [2, 1],
      (x) =>
        broadcastTo(
          m.pad(
            x,
            [
              [1, 1],
              [0, 0],
            ],
            1,
          ),
          [3, 4, 5],
        ),
    ],
    [
      "broadcast of a padded and sliced row",
      [1, 3],
      (x) =>
        broadcastTo(
          m.slice(
            m.pad(
              x,
              [
                [1, 1],
                [0, 0],
              ],
              1,
            ),
            [[0, 1]],
          ),
          [4, 3],
        ),
    ],
    [
      "pad of a transpose of a pad",
      [2, 3],
      (x) =>
        m.pad(
          m.transpose(
            m.pad(
              x,
              [
                [1, 0],
                [0, 1],
              ],
              1,
            ),
          ),
          [
            [0, 1],
            [1, 0],
          ],
        ),
    ],
    ["concat", [2, 3], (x) => m.concat([x, m.flip(x, 0), x], 1)],
    [
      "concat of parts of different lengths",
      [5, 2],
      (x) => m.concat([m.slice(x, [[0, 1]]), x, m.slice(x, [[3, 3]]), m.slice(x, [[1, 4]])]),
    ],
    ["stack", [3], (x) => m.stack([x, m.flip(x, 0)], 1)],
    ["nothing moved", [3], (x) => m.reshape(m.reshape(x, [3, 1]), [3])],
  ];
  return moves.flatMap(([name, shape, build]) =>
    dtypes.map(
      (dtype, i): Case => ({
        name: `${name} of ${dtype}`,
        inputs: [testData(shape, dtype, dtype === "uint32" ? [0, 2 ** 32] : [-(2 ** 20), 2 ** 20], i + 2)],
        build,
      }),
    ),
  );
}

function indexedCases(): Case[] {
  const cases: Case[] = [];
  const indices = (shape: Shape, below: number): Data => testData(shape, "int32", [0, below - 1e-6], 9);
  for (const dtype of dtypes) {
    cases.push({
      name: `gather of ${dtype} along the last axis`,
      inputs: [testData([4, 7], dtype, [0, 99]), indices([4, 12], 7)],
      build: (x, i) => indexed.gather(x, i, 1),
    });
  }
  for (const [shape, index, axis] of [
    [[7, 3], [11, 3], 0],
    [[2, 5, 3], [2, 9, 3], 1],
    [[6], [40], 0],
    [[2, 3, 4], [2, 3, 1], -1],
    [[4, 2], [0, 2], 0],
    [[1, 1], [5, 1], 0],
  ] as [Shape, Shape, number][]) {
    const at = axis < 0 ? axis + shape.length : axis;
    cases.push({
      name: `gather [${shape}] by [${index}] along ${axis}`,
      inputs: [floats(shape), indices(index, shape[at])],
      build: (x, i) => indexed.gather(x, i, axis),
    });
    cases.push({
      name: `scatterAdd of [${index}] into [${shape}] along ${axis}, with repeats`,
      inputs: [indices(index, shape[at]), roughData(index)],
      build: (i, x) => indexed.scatterAdd(i, x, axis, shape[at]),
    });
  }
  cases.push(
    {
      name: "scatterAdd of many into one",
      inputs: [testData([600, 2], "int32", [0, 0.5]), roughData([600, 2])],
      build: (i, x) => indexed.scatterAdd(i, x, 0, 2),
    },
    {
      name: "take rows",
      inputs: [floats([9, 4]), indices([3, 5], 9)],
      build: (table, i) => indexed.take(table, i),
    },
    {
      name: "take of numbers",
      inputs: [floats([9]), indices([3, 5], 9)],
      build: (table, i) => indexed.take(table, i),
    },
    {
      name: "gather through views",
      inputs: [floats([5, 4]), indices([6, 4], 5)],
      build: (x, i) => indexed.gather(movement.flip(x, 1), movement.slice(i, [[5, -Infinity, -2]]), 0),
    },
    {
      name: "gather of an expression by an expression",
      inputs: [floats([5, 4]), indices([3, 4], 4)],
      build: (x, i) => indexed.gather(elementwise.mul(x, 2), elementwise.add(i, 1), 0),
    },
    {
      name: "scatterAdd through views",
      inputs: [indices([4, 3], 5), roughData([4, 3])],
      build: (i, x) => indexed.scatterAdd(movement.transpose(i), movement.transpose(x), 1, 5),
    },
    {
      name: "scatterAdd of zeros of both signs",
      inputs: [
        testData([3], "int32", [0, 1.99]),
        { dtype: "float32", shape: [3], data: arrayOf("float32", [-0, -0, -0]) },
      ],
      build: (i, x) => indexed.scatterAdd(i, x, 0, 4),
    },
  );
  return cases;
}

function randomCases(): Case[] {
  const make = (name: string, build: () => Node): Case => ({ name, inputs: [], build });
  return [
    make("uniform [1000]", () => random.uniform([1000])),
    make("uniform [7, 3] on [−2, 5)", () => random.uniform([7, 3], -2, 5)),
    make("normal [1000]", () => random.normal([1000])),
    make("normal [5] of mean 3", () => random.normal([5], 3, 0.1)),
    ...[0, 1e-9, 0.1, 0.5, 0.999, 1].map((p) => make(`bernoulli of ${p}`, () => random.bernoulli([300], p))),
    ...[0, 0.1, 1].map((p) => make(`keepMask of ${p}`, () => random.keepMask([300], p))),
    make("randint of [0, 10)", () => random.randint([300], 0, 10)),
    make("randint of all of int32", () => random.randint([300], -(2 ** 31), 2 ** 31)),
    make("randint of one value", () => random.randint([3], 5, 6)),
    ...[0, 1, 2, 100].map((count) => make(`permutation of ${count}`, () => random.permutation(count))),
    make("dropout", () => composite.dropout(random.normal([4, 50]), 0.3)),
    make("nothing random", () => random.uniform([0, 3])),
  ];
}

function creationCases(): Case[] {
  const make = (name: string, build: () => Node): Case => ({ name, inputs: [], build });
  return [
    ...dtypes.map((dtype) => make(`full of ${dtype}`, () => creation.full([2, 3], 1, dtype))),
    ...[-0, NaN, Infinity, 0.1, 1e-45].map((x) =>
      make(`full of ${Object.is(x, -0) ? "-0" : x}`, () => creation.full([3], x)),
    ),
    make("full of a scalar", () => creation.full([], 7)),
    make("full of nothing", () => creation.full([0], 7)),
    ...[0, 1, 2].map((axis) => make(`coordinate along ${axis}`, () => creation.coordinate([2, 3, 4], axis))),
    make("arange", () => creation.arange(5)),
    make("arange of floats", () => creation.arange(1, 3, { step: 0.3, dtype: "float32" })),
    make("arange backwards", () => creation.arange(5, -5, { step: -3 })),
    make("eye", () => creation.eye(3, { columns: 5 })),
    make("coordinates moved", () => movement.flip(movement.transpose(creation.coordinate([3, 4], 1)), 0)),
    make("coordinates in other rows", () => movement.reshape(creation.coordinate([4, 6], 1), [3, 8])),
    make("constant", () =>
      creation.fromValues([
        [1, -0, NaN],
        [2, 3, 4],
      ]),
    ),
    make("constant of int32", () => creation.fromValues([2 ** 31 - 1, -(2 ** 31)], "int32")),
    make("constant of bool", () => creation.fromValues([true, false, true])),
    { name: "one-hot", inputs: [testData([3, 2], "int32", [0, 4.9])], build: (i) => creation.oneHot(i, 5) },
    { name: "input", inputs: [floats([4])], build: (x) => x },
  ];
}

/** Where several kinds meet in one kernel or stand beside each other. */
function compositeCases(): Case[] {
  const x = floats([6, 10], 4);
  return [
    { name: "softmax", inputs: [x], build: (a) => composite.softmax(a) },
    { name: "softmax over the first axis", inputs: [x], build: (a) => composite.softmax(a, 0) },
    { name: "logSoftmax", inputs: [x], build: (a) => composite.logSoftmax(a) },
    { name: "mse", inputs: [x, floats([6, 10], 5)], build: composite.mse },
    { name: "variance", inputs: [x], build: (a) => reduce.variance(a, { axis: 0 }) },
    { name: "layerNorm", inputs: [x, floats([10]), floats([10], 2)], build: (a, w, b) => composite.layerNorm(a, w, b) },
    {
      name: "crossEntropy",
      inputs: [x, testData([6], "int32", [0, 9.9])],
      build: composite.crossEntropy,
    },
    {
      name: "a comparison cast and summed",
      inputs: [x, x],
      build: (a, b) => reduce.sum(compare.less(a, movement.flip(b, 1)), { axis: 1 }),
    },
    {
      name: "a long chain of additions of many inputs",
      inputs: Array.from({ length: 12 }, (_, i) => roughData([5], i + 1)),
      build: (...parts) => parts.reduce((sum, part) => elementwise.add(sum, part)),
    },
    {
      name: "an expression stretched",
      inputs: [floats([4, 1]), floats([1, 6])],
      build: (a, b) => elementwise.add(elementwise.exp(a), elementwise.tanh(b)),
    },
    {
      name: "an expression padded, then summed",
      inputs: [floats([3, 4])],
      build: (a) =>
        reduce.sum(
          movement.pad(
            elementwise.exp(a),
            [
              [1, 1],
              [0, 2],
            ],
            3,
          ),
          { axis: 0 },
        ),
    },
    {
      name: "one tensor through two views",
      inputs: [floats([4, 4])],
      build: (a) => elementwise.sub(a, movement.transpose(a)),
    },
    {
      name: "bool logic on comparisons",
      inputs: [x, floats([10])],
      build: (a, b) => compare.logicalOr(compare.logicalNot(compare.less(a, b)), compare.equal(a, a)),
    },
  ];
}

/** All cases: what the records give, and what each kind is given here. */
export function conformanceCases(): Case[] {
  return [
    ...elementwiseCases(),
    ...broadcastCases(),
    ...reduceCases(),
    ...matmulCases(),
    ...movementCases(),
    ...indexedCases(),
    ...randomCases(),
    ...creationCases(),
    ...compositeCases(),
  ];
}

/** The names of the ops that a case computes. */
export function opsOf({ inputs, build }: Case): Set<string> {
  const { result } = withTrace(() => build(...inputs.map(({ shape, dtype }) => creation.input(shape, dtype))));
  return new Set(reachable([result]).map((node) => node.op));
}

/** How many elements a case's inputs hold: what batches are cut by. */
export const sizeOfCase = ({ inputs }: Case) => inputs.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
