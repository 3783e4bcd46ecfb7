// Files on their way into the worker: fetched where they are given by URL, unpacked where they are gzipped, and hashed by the platform while nobody waits for it.
import { mountFiles } from "#files";
import { sha256Later } from "#hash";
import { toHex } from "../core/canonical.ts";
import { DataError } from "../core/errors.ts";
import { contentOf } from "../io/gzip.ts";
import type { WorkerFiles } from "./messages.ts";

async function bytesOf(path: string, file: Uint8Array | string): Promise<Uint8Array> {
  if (typeof file !== "string") return file;
  const response = await fetch(file).catch((cause) => cause as Error);
  if (response instanceof Response && response.ok) return new Uint8Array(await response.arrayBuffer());
  throw new DataError({
    where: path,
    problem: "the file can't be fetched",
    got: response instanceof Response ? `status ${response.status} of ${file}` : `${response.message}: ${file}`,
    cause: response instanceof Response ? undefined : response,
  });
}

/** Makes files be there; a gzipped one, `x.gz`, as `x` too. Rejects with DataError where one can't be fetched or unpacked. */
export async function mountGiven(files: WorkerFiles): Promise<void> {
  const all = Object.entries(files).map(async ([path, file]) => {
    const bytes = await contentOf(path, await bytesOf(path, file));
    const hash = await sha256Later(bytes);
    const paths = path.endsWith(".gz") ? [path, path.slice(0, -".gz".length)] : [path];
    return { paths, bytes, sha256: hash && toHex(hash) };
  });
  // Without any, too, there is a place for what a run writes.
  mountFiles({});
  for (const { paths, bytes, sha256 } of await Promise.all(all))
    for (const path of paths) mountFiles({ [path]: bytes }, sha256);
}
