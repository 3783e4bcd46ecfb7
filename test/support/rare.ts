// For every test file: what lowers, schedules and prints finds all that few programs need, since tests ask it at once. How a program gets it, test/engines/modules.test.ts shows.
import "../../src/backend/wasm/emit/program.ts";
import "../../src/compile/lower.ts";
import "../../src/schedule/schedule.ts";
import { beforeAll } from "vitest";
import { Rare } from "../../src/core/rare.ts";

beforeAll(async () => {
  await Promise.all([...Rare.all].map((rare) => rare.bring()));
});
