// The table of a model: shapes, parameters, FLOPs, totals; nothing is run or drawn.
import { beforeAll, expect, test } from "vitest";
import * as sg from "../../src/index.ts";
import { namedModules } from "../../src/nn/naming.ts";
import { summaryOf } from "../../src/nn/summary.ts";

const { nn } = sg;

beforeAll(() => sg.setDefaultBackend("reference"));

test("a convolutional network with a batch norm", () => {
  const stream = sg.manualSeed(1);
  const model = nn.sequential(
    nn.conv2d(1, 4, 3),
    nn.batchNorm2d(4),
    nn.relu(),
    nn.flatten(),
    nn.dropout(0.5),
    nn.linear(4 * 6 * 6, 2),
  );
  nn.freeze(model, "0.*");
  const { position } = stream;
  // Conv2d: 288 outputs of 9 products and sums and a bias; BatchNorm: 6 for each element, 36 for its statistics.
  expect(nn.summary(model, [2, 1, 8, 8]).split("\n")).toEqual([
    "layer  class              output  parameters  FLOPs",
    "───────────────────────────────────────────────────",
    "model  Sequential         [2, 2]           0  8,680",
    "  0    Conv2d       [2, 4, 6, 6]          40  5,472",
    "  1    BatchNorm    [2, 4, 6, 6]           8  1,764",
    "  2    Activation   [2, 4, 6, 6]           0      0",
    "  3    SampleShape      [2, 144]           0      0",
    "  4    Dropout          [2, 144]           0    288",
    "  5    Linear             [2, 2]         290  1,156",
    "parameters: 338 (1,352 bytes), 298 trained, 40 frozen",
    "buffers: 8 numbers",
    "FLOPs of a forward pass: 8,680",
  ]);
  expect(stream.position).toBe(position);
});

test("tokens, a module that is called twice, and one that is nested", () => {
  sg.manualSeed(1);
  const shared = nn.linear(4, 4);
  const model = nn.sequential(nn.embedding(7, 4), nn.sequential(shared, shared));
  expect(nn.summary(model, sg.zeros([2, 3], "int32")).split("\n")).toEqual([
    "layer  class          output  parameters  FLOPs",
    "───────────────────────────────────────────────",
    "model  Sequential  [2, 3, 4]           0    432",
    "  0    Embedding   [2, 3, 4]          28      0",
    "  1    Sequential  [2, 3, 4]           0    432",
    "    0  Linear      [2, 3, 4]          20    216",
    "    0  Linear      [2, 3, 4]     (again)    216",
    "parameters: 48 (192 bytes), 48 trained, 0 frozen",
    "buffers: 0 numbers",
    "FLOPs of a forward pass: 432",
  ]);
  expect(() => nn.summary(model, [2, 3])).toThrow(sg.DTypeError);
});

test("to a depth: the last level has the parameters below it; what is trained is asked for", () => {
  const model = nn.sequential(nn.linear(4, 2), nn.sequential(nn.linear(2, 3), nn.relu()));
  const nothing = { outputs: [], nodes: [0, 0] as const };
  const calls = namedModules(model).map(([path, module], begun) => ({ path, module, ...nothing, begun }));
  const isTrained = ({ shape }: sg.Parameter) => shape.length === 2;
  expect(summaryOf(model, calls, { isTrained, depth: 1 }).split("\n").slice(2, 6)).toEqual([
    "model  Sequential                   0      0",
    "  0    Linear                      10      0",
    "  1    Sequential                   9      0",
    "parameters: 19 (76 bytes), 14 trained, 5 frozen",
  ]);
});

test("what doesn't fit is told of with its layer's path, and a module that gives nothing has no output", () => {
  class Heads extends nn.Module {
    readonly body = nn.sequential(nn.linear(2, 3), nn.relu());
    readonly heads = { value: nn.linear(4, 1) };
    override forward(x: sg.Tensor): sg.Tensor {
      return this.heads.value.forward(this.body.forward(x));
    }
  }
  expect(() => nn.summary(new Heads(), [1, 2])).toThrow(
    /^layer heads.value \(Linear\) of Heads: the last axis isn't as wide as the weight's rows \(in nn.linear\): got \[1, 3\]/,
  );
  class Nothing extends nn.Module {
    override forward(): never {
      return undefined as never;
    }
  }
  expect(nn.summary(new Nothing(), [1, 2])).toContain("model  Nothing");
});
