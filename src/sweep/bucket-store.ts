// A bucket of a service that speaks S3 as a store, by s3mini, an optional peer. Who one is comes from the environment, by the names that AWS's own tools use.
import { CheckpointError, ConfigError } from "../core/errors.ts";
import { peer } from "./peers.ts";
import type { Environment, Store } from "./store.ts";

/** The store in a bucket, under a prefix. Throws ConfigError where s3mini isn't installed, or the environment doesn't say who one is. */
export async function bucketStore(bucket: string, prefix: string, environment: Environment): Promise<Store> {
  const { S3mini } = await peer("store", import("s3mini"));
  const wanted = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"] as const;
  const missing = wanted.filter((name) => !environment[name]);
  const where = `s3://${bucket}${prefix && `/${prefix}`}`;
  if (missing.length > 0)
    throw new ConfigError({
      where,
      problem: "the environment doesn't say who you are",
      got: `no ${missing.join(", no ")}`,
      expected: wanted.join(" and "),
    });
  const region = environment.AWS_REGION || "us-east-1";
  const service =
    environment.AWS_ENDPOINT_URL_S3 || environment.AWS_ENDPOINT_URL || `https://s3.${region}.amazonaws.com`;
  const client = new S3mini({
    accessKeyId: environment.AWS_ACCESS_KEY_ID!,
    secretAccessKey: environment.AWS_SECRET_ACCESS_KEY!,
    endpoint: `${service.replace(/\/+$/, "")}/${bucket}`,
    region,
  });
  const full = (key: string) => (prefix ? `${prefix}/${key}` : key);
  const attempt = async <T>(problem: string, key: string, body: () => Promise<T>): Promise<T> => {
    for (let tries = 1; ; tries++) {
      try {
        return await body();
      } catch (cause) {
        if (tries < attempts && isPassing(cause)) {
          await new Promise((resolve) => setTimeout(resolve, pause << tries));
          continue;
        }
        throw new CheckpointError({
          where: key ? `${where}/${key}` : where,
          problem: `${problem} (${service})`,
          got: messageOf(cause),
          cause,
        });
      }
    }
  };
  // Under no run's name, so that nothing is listed.
  if ((await attempt("the store can't be reached", "", () => client.listObjects("/", full("runs/-/")))) === null)
    throw new ConfigError({ where, problem: `there is no such bucket (${service})`, got: bucket });
  return {
    where,
    get: (key) =>
      attempt("the store can't be read", key, async () => {
        const bytes = await client.getObjectArrayBuffer(full(key));
        return bytes === null ? undefined : new Uint8Array(bytes);
      }),
    put: (key, bytes) =>
      attempt("the store can't be written", key, async () => void (await client.putAnyObject(full(key), bytes))),
    list: (folder) =>
      attempt("the store can't be read", folder, async () => {
        const found = (await client.listObjects("/", full(folder))) ?? [];
        return found.map(({ Key }) => Key.slice(full("").length)).sort();
      }),
    remove: (key) =>
      attempt("the store can't be written", key, async () => void (await client.deleteObject(full(key)))),
  };
}

/** How often a call is made in all where the service doesn't answer. */
const attempts = 5;
/** Milliseconds before the second call; before each later one twice as many. */
const pause = 100;

/** Whether a call may do better another time: the network failed, or the service has too much to do. */
function isPassing(error: unknown): boolean {
  const { status } = error as { status?: number };
  return status === undefined ? (error as Error).name === "S3NetworkError" : status >= 500 || status === 429;
}

function messageOf(error: unknown): string {
  const { message, cause } = error as Error;
  return cause === undefined ? message : `${message}: ${(cause as Error).message}`;
}
