// All that few programs need, imported: what lowers, schedules and prints is asked by tests at once.

/** Imports it. */
export async function importAll(): Promise<void> {
  await Promise.all([
    import("../../src/backend/wasm/emit/program.ts"),
    import("../../src/compile/lower.ts"),
    import("../../src/schedule/schedule.ts"),
  ]);
  const { LazyModule } = await import("../../src/core/lazy.ts");
  await Promise.all([...LazyModule.all].map((lazy) => lazy.load()));
}
