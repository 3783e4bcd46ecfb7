// A folder of its own for a test, or for a test file, gone when that is.
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

const made: string[] = [];

/** An empty folder that goes when the test file is through. */
export function scratch(): string {
  const path = mkdtempSync(join(tmpdir(), "seedgrad-scratch-"));
  made.push(path);
  return path;
}

/** Removes them; every test file's end does. */
export function removeScratch(): void {
  for (const path of made.splice(0)) rmSync(path, { recursive: true, force: true });
}

/** A file system call that fails as a full disk does. */
export function fullDisk(): never {
  throw Object.assign(new Error("ENOSPC: no space left on device"), { code: "ENOSPC" });
}
