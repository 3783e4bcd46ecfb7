// Every public op by its name, as random programs grow by it: what each gives of the same few values, by several choices.
import { withTrace } from "../../../src/graph/scope.ts";
import { input } from "../../../src/ops/creation.ts";
import { testData, testWords } from "../../support/graphs.ts";
import { growers } from "../../support/growers.ts";
import { attempt } from "../../support/programs.ts";
import { type Computation, floats } from "./case.ts";

const inputs = [floats([3, 5], 3), testData([3, 5], "int32", [0, 4]), floats([2, 1, 2, 3, 1, 2], 4), floats([17], 5)];

/** The first choices by which it grows to something of a moderate size. */
export function grownCases(): Computation[] {
  return Object.entries(growers).flatMap(([name, grow]) => {
    const build = (seed: number): Computation["build"] => {
      return (...values) => {
        const next = testWords(seed);
        return grow({ pick: (below) => next() % below, values, depth: 1 });
      };
    };
    const seeds = Array.from({ length: 40 }, (_, i) => i + 1).filter((seed) => {
      const { result } = withTrace(() =>
        attempt(() => build(seed)(...inputs.map(({ shape, dtype }) => input(shape, dtype)))),
      );
      return result !== undefined;
    });
    return seeds.slice(0, 2).map((seed) => ({ name: `${name} as it grows, ${seed}`, inputs, build: build(seed) }));
  });
}
