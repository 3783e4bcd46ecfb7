// The stores that there are, by the beginning of an address.
import { ConfigError } from "../core/errors.ts";
import { bucketStore } from "./bucket-store.ts";
import { folderStore } from "./folder-store.node.ts";
import { type Environment, refusePassword, type Store } from "./store.ts";

/**
 * The store at an address: `file:FOLDER`, or `s3://BUCKET/PREFIX` with AWS_ENDPOINT_URL_S3, AWS_REGION, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment.
 * Throws ConfigError for another address, for one that holds a password, and where the client of S3 isn't installed.
 */
export async function openStore(address: string, environment: Environment): Promise<Store> {
  refusePassword("store", address);
  const [, folder] = /^file:(?:\/\/(?=\/))?(.+)$/.exec(address) ?? [];
  if (folder !== undefined) return folderStore(folder);
  const [, bucket, prefix = ""] = /^s3:\/\/([a-z0-9][a-z0-9.-]*)(?:\/(.*))?$/.exec(address) ?? [];
  if (bucket !== undefined) return bucketStore(bucket, prefix.replace(/\/+$/, ""), environment);
  throw new ConfigError({
    where: "store",
    problem: "not the address of a store",
    got: address,
    expected: "file:FOLDER, or s3://BUCKET/PREFIX",
  });
}
