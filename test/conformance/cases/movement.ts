// Movement ops alone and composed, on every dtype.
import type { Shape } from "../../../src/core/shape.ts";
import type { Node } from "../../../src/graph/node.ts";
import { withGradient } from "../../../src/ops/custom.ts";
import { broadcastTo, full } from "../../../src/ops/define.ts";
import * as movement from "../../../src/ops/movement.ts";
import { pad } from "../../../src/ops/pad.ts";
import { unfold } from "../../../src/ops/unfold.ts";
import { testData } from "../../support/graphs.ts";
import { type Computation, dtypes } from "./case.ts";

/** Movement: each op alone, and compositions, on every dtype. */
export function movementCases(): Computation[] {
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
        pad(
          x,
          [
            [1, 2],
            [0, 1],
          ],
          1,
        ),
    ],
    ["customGradient", [2, 3], (x) => withGradient(x, [x], (grad) => [grad])],
    ["pad of a constant, reshaped", [4, 4], (x) => m.reshape(pad(full([15], 1, x.dtype), [[0, 1]]), [4, 4])],
    [
      "pad with zeros",
      [2, 3],
      (x) =>
        pad(x, [
          [0, 1],
          [2, 0],
        ]),
    ],
    [
      "pad of nothing",
      [0, 3],
      (x) =>
        pad(
          x,
          [
            [2, 1],
            [0, 1],
          ],
          1,
        ),
    ],
    ["unfold", [2, 7], (x) => unfold(x, 1, 3)],
    ["unfold with gaps, of an inner axis", [3, 9, 2], (x) => unfold(x, 1, 2, 3)],
    ["unfold with gaps within", [3, 9, 2], (x) => unfold(x, 1, 3, 2, 3)],
    ["unfold of an unfold, moved", [2, 5, 6], (x) => m.transpose(unfold(unfold(x, 1, 3, 2), 2, 4), [0, 3, 4, 2, 1])],
    [
      "unfold of a pad",
      [2, 4],
      (x) =>
        unfold(
          pad(
            x,
            [
              [0, 0],
              [1, 1],
            ],
            1,
          ),
          1,
          3,
        ),
    ],
    ["unfold of a transpose backwards", [5, 3], (x) => unfold(m.flip(m.transpose(x), [1]), 1, 2)],
    ["flip", [3, 4], (x) => m.flip(x, [0, 1])],
    ["reshape of a transpose", [4, 6], (x) => m.reshape(m.transpose(x), [3, 8])],
    ["transpose of a reshape", [24], (x) => m.transpose(m.reshape(x, [2, 3, 4]), [1, 2, 0])],
    ["reshape of a broadcast", [3, 1], (x) => m.reshape(broadcastTo(x, [3, 4]), [12])],
    [
      "slice of a pad",
      [4, 4],
      (x) =>
        m.slice(
          pad(
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
        pad(
          pad(
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
        pad(
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
          pad(
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
          pad(
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
          pad(
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
            pad(
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
        pad(
          m.transpose(
            pad(
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
      (dtype, i): Computation => ({
        name: `${name} of ${dtype}`,
        inputs: [testData(shape, dtype, dtype === "uint32" ? [0, 2 ** 32] : [-(2 ** 20), 2 ** 20], i + 2)],
        build,
      }),
    ),
  );
}
