// npm run test:runs: random small runs over what a config may say, each held to support/random-runs: one digest anywhere, stopped or not, verified and not when tampered with. 100 unless --count
// says otherwise, or so many as --minutes allow; --seed goes on from a failure, whose smallest case is printed.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import fc from "fast-check";
import { configOf, writeData } from "../support/configs.ts";
import { importAll } from "../support/imported.ts";
import { choices } from "../support/programs.ts";
import { checkRun } from "../support/random-runs.ts";

const { values } = parseArgs({
  options: {
    count: { type: "string", default: "100" },
    seed: { type: "string", default: String(Date.now() % 2 ** 31) },
    minutes: { type: "string", default: "Infinity" },
  },
});
const [count, seed] = [Number(values.count), Number(values.seed)];
const end = performance.now() + Number(values.minutes) * 60_000;
await importAll();
const data = mkdtempSync(join(tmpdir(), "seedgrad-runs-"));
writeData(data);
console.log(`${count} runs from seed ${seed}`);
const done = { holds: 0, refused: 0 };
try {
  await fc.assert(
    fc.asyncProperty(choices, async (given) => {
      if (performance.now() > end) return;
      done[await checkRun(given, data)]++;
      if ((done.holds + done.refused) % 20 === 0) console.log(`${done.holds} runs, ${done.refused} refused`);
    }),
    {
      numRuns: count,
      seed,
      reporter(found) {
        if (!found.failed) return;
        console.error(JSON.stringify(configOf(found.counterexample![0], data).config, null, 1));
        throw found.errorInstance;
      },
    },
  );
  console.log(`${done.holds} runs hold, ${done.refused} were refused`);
} catch (error) {
  console.error(error);
  console.error(`After ${done.holds} runs. Again: npm run test:runs -- --seed ${seed}`);
  process.exitCode = 1;
}
rmSync(data, { recursive: true, force: true });
