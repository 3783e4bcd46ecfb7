// docs/engine.md shows what the code makes of its small program: graph, kernels, schedule and WebAssembly, each compared with the page.

import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { gradients } from "../../src/autograd/grad.ts";
import { printSchedule } from "../../src/backend/wasm/emit/program.ts";
import { phasePrinter } from "../../src/backend/wasm/runtime/chunks.ts";
import { maximumPages } from "../../src/backend/wasm/runtime/memory.ts";
import { lower } from "../../src/compile/lower.ts";
import { printGraph } from "../../src/graph/print.ts";
import { add, relu } from "../../src/ops/elementwise.ts";
import { matmul } from "../../src/ops/matmul.ts";
import { sum } from "../../src/ops/reduce.ts";
import { printKernel } from "../../src/report/kernel.ts";
import { showSchedule } from "../../src/report/schedule.ts";
import { schedulePlan } from "../../src/schedule/schedule.ts";
import { traceGraph } from "../support/graphs.ts";
import { root } from "../support/sources.ts";
import { disassemble } from "../support/wabt.ts";
import { wasmTarget } from "../support/wasm.ts";

const page = readFileSync(`${root}docs/engine.md`, "utf8");
/** The blocks of a language below a heading. */
function shown(heading: string, language: string): string[] {
  const [, section] = page.split(`\n### ${heading}\n`);
  const [own] = section.split(/\n##+ /);
  return [...own.matchAll(new RegExp(`^\`\`\`${language}\n([\\s\\S]*?)\n\`\`\``, "gm"))].map(([, text]) => text);
}

const float32 = (shape: number[]) => ({ dtype: "float32" as const, shape });
const graph = traceGraph({ x: float32([64, 32]), w: float32([32, 16]), b: float32([16]) }, ({ x, w, b }) => {
  const loss = sum(relu(add(matmul(x, w), b)));
  const [ofW, ofB] = gradients(loss, [w, b]);
  return { outputs: { loss, "gradient of w": ofW, "gradient of b": ofB } };
});
const plan = lower(graph);
const schedule = schedulePlan(plan, { ...wasmTarget, threads: 2 });

describe("the small program", () => {
  test("as a graph", () => expect(shown("Graph", "text")).toEqual([printGraph(graph)]));

  test("as kernels", () => {
    const lines = plan.kernels.flatMap((kernel, number) => printKernel(kernel, number, plan));
    expect(shown("Kernels", "text")).toEqual([lines.join("\n")]);
  });

  test("as a schedule, of as many phases as the page says", () => {
    expect(shown("Schedule", "text")).toEqual([showSchedule(schedule)]);
    const numbers = schedule.phases.map(({ calls }) => calls.map(({ member }) => member.number));
    expect(numbers).toEqual([[0, 1, 3], [5], [4, 2]]);
    expect(schedule.phases.map(({ chunks }) => chunks > 1)).toEqual([true, true, false]);
  });

  test("as WebAssembly", async () => {
    const lines = (text: string) =>
      text
        .split("\n")
        .map((line) => line.trim())
        .join("\n");
    const module = lines(await disassemble(printSchedule(schedule, { maximum: maximumPages, phasePrinter }).bytes));
    const excerpts = shown("WebAssembly", "wat");
    expect(excerpts.length).toBe(2);
    for (const excerpt of excerpts) expect(module).toContain(lines(excerpt));
    const called = [...excerpts[0].matchAll(/call (\d+)/g)].map(([, number]) => number);
    const named = [/Function (\d+) takes/, /packs[^(]*\(function\s(\d+)\)/, /Function (\d+)\s+reports/].map(
      (pattern) => page.match(pattern)?.[1],
    );
    expect(named).toEqual([called[0], called[1], called[called.length - 1]]);
  });
});
