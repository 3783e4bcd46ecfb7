// Packages that only runs on several machines need: optional peers, imported when they are asked for.
import { ConfigError } from "../core/errors.ts";

/** The versions that are used and tested. */
const peers = { bullmq: "6.7", ioredis: "6.0", s3mini: "1.0" } as const;

/** What an import came to; throws ConfigError with the line for npm where a package isn't installed. `what` needs it. */
export async function peer<T>(what: string, importing: Promise<T>): Promise<T> {
  try {
    return await importing;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "ERR_MODULE_NOT_FOUND") throw cause;
    const names = what === "queue" ? (["bullmq", "ioredis"] as const) : (["s3mini"] as const);
    throw new ConfigError({
      where: what,
      problem: `${names.length > 1 ? "npm packages aren't" : "an npm package isn't"} installed here`,
      got: String(cause).split("\n")[0],
      expected: names.join(" and "),
      hint: `npm install ${names.map((name) => `${name}@${peers[name]}`).join(" ")}`,
      cause,
    });
  }
}
