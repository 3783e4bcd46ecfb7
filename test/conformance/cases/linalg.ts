// Linear algebra: sizes from 0, batches, views, more rows and fewer than columns, singular matrices; values, and gradients of each.
import type { Shape } from "../../../src/core/shape.ts";
import type { Node } from "../../../src/graph/node.ts";
import { makeNode } from "../../../src/ops/define.ts";
import { gradients } from "../../../src/program/gradients.ts";
import { ops } from "../../../src/tensor/functions.ts";
import { Tensor } from "../../../src/tensor/tensor.ts";
import { roughData } from "../../support/graphs.ts";
import { type Computation, floats } from "./case.ts";

const together = (tensors: readonly Tensor[]): Node =>
  ops.concat(tensors.map((each) => each.cast("float32").reshape([each.size]))).node;

const definite = (x: Tensor) => x.matmul(x.swapAxes()).add(ops.eye(x.shape[x.rank - 1]));

const square: Readonly<Record<string, (x: Tensor, b: Tensor) => Tensor[]>> = {
  cholesky: (x) => [definite(x).cholesky()],
  substitution: (x, b) => [
    x.triangularSolve(b, { upper: false }),
    x.triangularSolve(b, { upper: true, unitDiagonal: true }),
  ],
  elimination: (x, b) => [x.solve(b), x.inverse(), x.det(), ...Object.values(x.slogdet())],
  lu: (x) => Object.values(x.lu()),
  eigh: (x) => Object.values(x.eigh()),
};
const any: Readonly<Record<string, (x: Tensor) => Tensor[]>> = {
  qr: (x) => Object.values(x.qr()),
  svd: (x) => Object.values(x.svd()),
  pinverse: (x) => [x.pinverse(), x.matrixRank()],
  lstsq: (x) => [x.lstsq(ops.full([x.shape[x.rank - 2]], 1))],
};

export function linalgCases(): Computation[] {
  const cases: Computation[] = [
    {
      name: "linalg's result, and nothing else",
      inputs: [floats([2, 3, 3]), floats([2, 3, 3], 2)],
      build: (x, a) => makeNode("linalg", [x, a], x.shape, { result: "cholesky" }),
    },
  ];
  const add = (name: string, shapes: readonly Shape[], build: (...inputs: Tensor[]) => Tensor[], backward = false) =>
    cases.push({
      name: `${name} of [${shapes[0]}]${backward ? ", gradients" : ""}`,
      inputs: shapes.map((shape, i) => roughData(shape, i + 1)),
      build(...nodes) {
        const tensors = nodes.map((node) => new Tensor(node));
        const results = build(...tensors);
        if (!backward) return together(results);
        const floating = results.filter(({ dtype }) => dtype === "float32");
        const loss = floating.map((each) => each.mul(each.add(1)).sum()).reduce((a, b) => a.add(b));
        return together(gradients(loss, tensors.slice(0, shapes.length)));
      },
    });
  for (const [name, build] of Object.entries(square)) {
    for (const n of [0, 1, 2, 3, 5, 17])
      add(
        name,
        [
          [n, n],
          [n, 2],
        ],
        build,
      );
    add(
      name,
      [
        [2, 1, 3, 3],
        [3, 3, 1],
      ],
      build,
    );
    add(
      name,
      [
        [2, 3, 3],
        [3, 2],
      ],
      build,
      true,
    );
  }
  for (const [name, build] of Object.entries(any)) {
    for (const shape of [
      [0, 0],
      [1, 1],
      [2, 2],
      [17, 17],
      [2, 5, 3],
      [3, 1, 2, 4],
      [3, 0],
    ])
      add(name, [shape], build);
    for (const shape of [
      [5, 3],
      [2, 4],
    ])
      add(name, [shape], build, true);
  }
  cases.push(
    {
      name: "linear algebra of singular matrices",
      inputs: [floats([3, 1]), floats([1, 3], 2)],
      build(a, b) {
        const x = new Tensor(a).matmul(new Tensor(b));
        const results = [x.det(), x.inverse(), ...Object.values(x.qr()), x.svd().s, x.pinverse(), x.cholesky()];
        return together([...results, ...Object.values(ops.full([2, 2], 0).svd()), x.matrixRank()]);
      },
    },
    {
      name: "powers of a matrix",
      inputs: [floats([2, 3, 3])],
      build: (x) => together([5, 0, -1].map((times) => new Tensor(x).matrixPower(times))),
    },
    {
      name: "linear algebra of views, and the second gradient",
      inputs: [roughData([3, 5, 2])],
      build(node) {
        const x = ops.transpose(ops.flip(new Tensor(node), 1).slice([null, [0, 5, 2]]), [2, 0, 1]);
        const loss = x.inverse().square().sum().add(x.qr().q.square().sum()).add(x.eigh().eigenvalues.square().sum());
        const [first] = gradients(loss, [x]);
        return together(gradients(first.square().sum(), [new Tensor(node)]));
      },
    },
  );
  return cases;
}
