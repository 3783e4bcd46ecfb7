// Recurrent layers against recurrent.json (PyTorch, made by make_recurrent.py): outputs, final states and gradients of everything, two layers and both
// ways among them, and packed sequences beside a mask. |ours − theirs| ≤ 10⁻⁶ + 2·10⁻⁵·(the largest of the tensor).
import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import { concat, gradients, manualSeed, nn, stack, tensor } from "../../src/index.ts";
import { wave } from "../support/torch.ts";

interface Golden {
  readonly names: readonly string[];
  readonly output: readonly number[];
  readonly states: readonly (readonly number[])[];
  readonly gradient: readonly number[];
  readonly state_gradients: readonly (readonly number[])[];
  readonly parameters: readonly (readonly number[])[];
}
const golden: Record<string, Golden> = JSON.parse(
  readFileSync(new URL("recurrent.json", import.meta.url), "utf8"),
).cases;

const maskOf = (lengths: readonly number[]) => tensor(lengths.map((length) => [0, 1, 2, 3, 4].map((t) => t < length)));
const both = { layers: 2, bidirectional: true };
const cases: Record<string, { readonly layer: () => nn.Rnn | nn.Lstm | nn.Gru; readonly lengths?: readonly number[] }> = {
  rnn: { layer: () => nn.rnn(3, 4) },
  "rnn relu": { layer: () => nn.rnn(3, 4, { nonlinearity: "relu", layers: 2 }) },
  "rnn both ways": { layer: () => nn.rnn(3, 4, both) },
  lstm: { layer: () => nn.lstm(3, 4) },
  "lstm both ways": { layer: () => nn.lstm(3, 4, both) },
  "lstm both ways, packed": { layer: () => nn.lstm(3, 4, both), lengths: [5, 3] },
  "lstm without bias": { layer: () => nn.lstm(3, 4, { bias: false }) },
  gru: { layer: () => nn.gru(3, 4) },
  "gru both ways": { layer: () => nn.gru(3, 4, both) },
  "gru both ways, packed": { layer: () => nn.gru(3, 4, both), lengths: [2, 5] },
  "gru without bias": { layer: () => nn.gru(3, 4, { bias: false, layers: 2 }) },
};

test("each case is there", () => expect(Object.keys(cases)).toEqual(Object.keys(golden)));

beforeAll(() => manualSeed(1));

describe.each(Object.entries(cases))("%s", (name, { layer: make, lengths }) => {
  test("outputs, states and gradients", async () => {
    const expected = golden[name];
    const layer = make();
    const parameters = layer.parameters();
    expect(layer.namedParameters().map(([path]) => path)).toEqual(expected.names);
    for (const [i, parameter] of parameters.entries()) parameter.assign(wave(parameter.shape, 1.5, 31 + 7 * i));
    const x = wave([2, 5, 3], 3, 5);
    const shape = [expected.states[0].length / 8, 2, 4];
    const begin = expected.states.map((_, i) => wave(shape, 1, 11 + i));
    const [outputs, state] = layer.run(x, { state: begin, ...(lengths && { mask: maskOf(lengths) }) });
    const finals = Array.isArray(state) ? state : [state];
    const parts = [outputs.mul(wave(outputs.shape, 1, 101)), ...finals.map((each) => each.mul(wave(shape, 1, 57)))];
    const loss = stack(parts.map((each) => each.sum())).sum();
    const found = gradients(loss, [x, ...begin, ...parameters]);
    const ours = [outputs, ...finals, ...found];
    const wanted = [expected.output, ...expected.states, expected.gradient, ...expected.state_gradients, ...expected.parameters];
    const all = await concat(ours.map((each) => each.reshape([each.size]))).data();
    let at = 0;
    wanted.forEach((theirs, k) => {
      const limit = 1e-6 + 2e-5 * Math.max(...theirs.map(Math.abs));
      expect(ours[k].size).toBe(theirs.length);
      theirs.forEach((value, i) => {
        expect(Math.abs(all[at++] - value), `tensor ${k}, element ${i}`).toBeLessThanOrEqual(limit);
      });
    });
  });
});
