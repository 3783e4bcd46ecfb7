// A service that speaks S3, in this process, with a bucket in a temporary folder.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import S3rver from "s3rver";

export interface TestS3 {
  /** Of the bucket. */
  readonly address: string;
  /** Holds what is in it. */
  readonly folder: string;
  /** What says who one is. */
  readonly environment: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

/** Starts one; the caller stops it. */
export async function startS3(): Promise<TestS3> {
  const folder = mkdtempSync(join(tmpdir(), "seedgrad-s3-"));
  const server = new S3rver({
    address: "127.0.0.1",
    port: 0,
    silent: true,
    directory: folder,
    configureBuckets: [{ name: "runs" }],
  });
  const { port } = await server.run();
  return {
    address: "s3://runs/sweeps",
    folder,
    environment: {
      AWS_ENDPOINT_URL_S3: `http://127.0.0.1:${port}`,
      AWS_ACCESS_KEY_ID: "S3RVER",
      AWS_SECRET_ACCESS_KEY: "S3RVER",
    },
    async stop() {
      await server.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
