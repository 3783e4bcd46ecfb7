// A folder of its own for a test, gone when the test is.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";

/** An empty folder, removed after the test that asks for it. */
export function temporaryFolder(): string {
  const path = mkdtempSync(join(tmpdir(), "seedgrad-test-"));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** A file system call that fails as a full disk does. */
export function fullDisk(): never {
  throw Object.assign(new Error("ENOSPC: no space left on device"), { code: "ENOSPC" });
}
