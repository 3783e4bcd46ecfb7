// What is dropped is gone: backends on several threads and Trainers with them, their memory, their threads, disposed or not.
import { spawn } from "node:child_process";
import { expect, test } from "vitest";
import { script } from "../../support/cli.ts";

test.each(["backends", "disposed backends", "trainers", "disposed trainers"])("%s", async (kind) => {
  const child = spawn(process.execPath, ["--expose-gc", script("left"), kind], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let out = "";
  child.stdout.on("data", (data) => {
    out += data;
  });
  await new Promise((resolve) => child.on("close", resolve));
  const { left, made, gigabytes, threads } = JSON.parse(out);
  expect(made).toBeGreaterThanOrEqual(4);
  expect(left).toBe(0);
  expect(threads).toBeLessThanOrEqual(1);
  // A memory takes 10: the last one may linger.
  expect(gigabytes).toBeLessThan(15);
});
