// Where tests keep their files: in memory where the system has a place for that, since a run writes each of its files through to the disk, and waits.
import { mkdtempSync, readFileSync, rmSync, statfsSync } from "node:fs";
import { join } from "node:path";

const place = "/dev/shm";
/** More than all the tests keep at a time; containers often have 64 MiB there. */
const least = 2 ** 31;

/** Whether the place is there with room enough, and programs that lie there may be run. */
function isFit(): boolean {
  try {
    const mount = readFileSync("/proc/mounts", "utf8").match(new RegExp(`^\\S+ ${place} \\S+ (\\S+)`, "m"));
    if (!mount || mount[1].split(",").includes("noexec")) return false;
    const { bavail, bsize } = statfsSync(place);
    return bavail * bsize >= least;
  } catch {
    return false;
  }
}

/** Makes the folder of temporary files, of this process and those it starts, one in memory, unless the environment names one; gives what removes it. */
export function keepInMemory(): () => void {
  if (process.env.TMPDIR || !isFit()) return () => {};
  const folder = mkdtempSync(join(place, "seedgrad-tests-"));
  process.env.TMPDIR = folder;
  return () => rmSync(folder, { recursive: true, force: true });
}
