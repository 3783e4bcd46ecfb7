// For every test file: what lowers, schedules and prints finds all that few programs need, since tests ask it at once. How a program gets it, test/engines/modules.test.ts shows.
// Imported when a file's tests begin, so that a file may replace modules.
import { beforeAll } from "vitest";

beforeAll(async () => {
  await Promise.all([
    import("../../src/backend/wasm/emit/program.ts"),
    import("../../src/compile/lower.ts"),
    import("../../src/schedule/schedule.ts"),
  ]);
  const { LazyModule } = await import("../../src/core/lazy.ts");
  await Promise.all([...LazyModule.all].map((lazy) => lazy.load()));
});
