// npm run test:arithmetic: WGSL float arithmetic (src/backend/webgpu/arithmetic) on the WebGPU device that is found, in Node SwiftShader where there is no other: every one of the
// 2³² inputs of what has one operand (--from and --to, in 1024ths, take a part), and pairs of random patterns of what has two (--pairs, in batches of 2²²). --only
// takes functions by name, --integers does without the device's own + and ×.
import { parseArgs } from "node:util";
import { arithmeticNames, hardwareOperations } from "../../src/backend/webgpu/arithmetic.ts";
import { openDevice } from "../../src/backend/webgpu/device.ts";
import { fillWords } from "../../src/rng/draws.ts";
import { batch, differences, operandsOf, tried } from "../support/arithmetic.ts";
import "../support/swiftshader.ts";

const { values } = parseArgs({
  options: {
    from: { type: "string", default: "0" },
    to: { type: "string", default: "1024" },
    pairs: { type: "string", default: "240" },
    only: { type: "string" },
    integers: { type: "boolean", default: false },
  },
});
const device = await openDevice();
console.log(device.name);
const without = new Set(values.integers ? hardwareOperations : []);
for (const name of values.only?.split(",") ?? arithmeticNames) {
  const functions = tried(device, [name], without);
  const isPair = operandsOf(name) === 2;
  const [from, to] = isPair ? [0, Number(values.pairs)] : [Number(values.from), Number(values.to)];
  const [a, b] = [new Uint32Array(batch), new Uint32Array(batch)];
  let wrong = 0;
  for (let part = from; part < to; part++) {
    if (isPair) {
      fillWords(11n, 2 * part * batch, a);
      fillWords(11n, (2 * part + 1) * batch, b);
      // Every other batch: exponents near each other, where sums cancel and quotients are near 1.
      if (part % 2 === 1) for (let i = 0; i < batch; i++) b[i] = a[i] ^ (b[i] & 0x81ffffff);
    } else for (let i = 0; i < batch; i++) a[i] = part * batch + i;
    const operands = isPair ? [a, b] : [a];
    const { count, first } = differences(name, operands, await functions.run(name, operands));
    if (count > 0 && wrong === 0) console.log(first);
    wrong += count;
  }
  console.log(`${name}: ${wrong} of ${(to - from) * batch} wrong`);
  if (wrong > 0) process.exitCode = 1;
  functions.close();
}
device.close();
