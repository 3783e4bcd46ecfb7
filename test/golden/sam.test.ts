// Six steps of SAM around PyTorch's own optimizers, from the committed sam.json (made by make_sam.py, float64). |ours − theirs| ≤ 5·10⁻⁶, of numbers below 2: ours are float32.
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { compile, optim, Parameter } from "../../src/index.ts";
import { wave } from "../support/torch.ts";

type Case = { readonly losses: number[]; readonly w: number[]; readonly b: number[] };
const golden: { cases: Record<string, Case> } = JSON.parse(readFileSync(new URL("sam.json", import.meta.url), "utf8"));

const makers: Record<string, (p: Parameter[]) => optim.Optimizer> = {
  sgd: (p) => optim.sam(optim.sgd(p, { learningRate: 0.1, momentum: 0.9 }), { rho: 0.5 }),
  "sgd adaptive": (p) => optim.sam(optim.sgd(p, { learningRate: 0.1, momentum: 0.9 }), { rho: 2, adaptive: true }),
  adamW: (p) => optim.sam(optim.adamW(p, { learningRate: 0.05, weightDecay: 0.1 }), { rho: 0.5 }),
};
test("every golden has its case", () => expect(Object.keys(makers)).toEqual(Object.keys(golden.cases)));

describe.each(Object.keys(makers))("optim.sam around %s", (name) => {
  test.each([
    ["compiled", true],
    ["by itself", false],
  ])("%s", async (_, compiled) => {
    const parameters = [new Parameter(wave([6, 9], 1, 3)), new Parameter(wave([9], 1, 5))];
    const rule = makers[name](parameters);
    const loss = () => {
      const total = parameters.map((p) => p.sum()).reduce((a, b) => a.add(b));
      const parts = parameters.map((p) => {
        const square = wave(p.shape, 1.5, 7).add(1).mul(p.sub(wave(p.shape, 2, 11)).square()).sum().div(2);
        return square.add(p.square().square().sum().div(8));
      });
      return parts.reduce((a, b) => a.add(b), total.square().div(40));
    };
    const once = () => rule.minimize(loss);
    const step = compiled ? compile(once, { state: rule, strict: true }) : once;
    const { losses, w, b } = golden.cases[name];
    for (const theirs of losses)
      expect(Math.abs((await (await step()).item()) - theirs)).toBeLessThanOrEqual(1e-5 * Math.abs(theirs));
    for (const [i, theirs] of [w, b].entries()) {
      const ours = await parameters[i].data();
      expect(ours.length).toBe(theirs.length);
      theirs.forEach((value, k) => expect(Math.abs(ours[k] - value), `${i} ${k}`).toBeLessThanOrEqual(5e-6));
    }
  });
});
