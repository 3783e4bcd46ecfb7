// npm run test:rounding: every one of the 2³² float32 inputs, rounded to each 16-bit format by the steps that some backends render, against
// integers. About a quarter of an hour on one core; --from and --to (in 256ths) take a part.
import { parseArgs } from "node:util";
import { input } from "../../kernels/expr.ts";
import { roundInSteps } from "../../src/backend/gpujs/rounding.ts";
import { narrowFormats } from "../../src/core/dtype.ts";
import { scalarFunction } from "../support/expr.ts";
import { narrowing } from "../support/narrow.ts";

const { values } = parseArgs({
  options: { from: { type: "string", default: "0" }, to: { type: "string", default: "256" } },
});
const [from, to] = [Number(values.from) * 2 ** 24, Number(values.to) * 2 ** 24];
const word = new Uint32Array(1);
const real = new Float32Array(word.buffer);
for (const format of narrowFormats) {
  const round = scalarFunction(roundInSteps(input(0, "float32"), format));
  const expected = narrowing[format];
  let wrong = 0;
  for (let bits = from; bits < to; bits++) {
    word[0] = bits;
    const x = real[0];
    if (!Object.is(round(x), expected(x)) && wrong++ < 5)
      console.log(`${format} of 0x${bits.toString(16)}: ${round(x)}, expected ${expected(x)}`);
  }
  console.log(`${format}: ${wrong} of ${to - from} wrong`);
  if (wrong > 0) process.exitCode = 1;
}
