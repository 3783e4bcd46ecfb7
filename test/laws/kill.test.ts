// SIGKILL at random moments of a transformer's run: a few here, many by npm run test:kill.
import { expect, test } from "vitest";
import { killed } from "./kill.ts";

test("killed three times and gone on with: the digest and files of a run that never stopped", async () => {
  const log: string[] = [];
  const ends = await killed("transformer", 3, (line) => log.push(line)).catch((error) => {
    throw new Error(`${error.message}\n${log.join("\n")}`);
  });
  expect(ends).toBeGreaterThanOrEqual(1);
}, 120_000);
