// SIGKILL at random moments of a transformer's run: a few here, of 80 steps; many of 200 and more by npm run test:kill.
import { expect, test } from "vitest";
import { main } from "../support/cli.ts";
import { killed } from "./kill.ts";

test("killed three times and gone on with: the digest and files of a run that never stopped", async () => {
  const log: string[] = [];
  const ends = await killed(main, "transformer", 3, (line) => log.push(line), 80).catch((error) => {
    throw new Error(`${error.message}\n${log.join("\n")}`);
  });
  expect(ends).toBeGreaterThanOrEqual(1);
}, 120_000);
