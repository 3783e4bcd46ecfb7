// Files for a browser, from memory, on this machine's own address: cross-origin isolated, but for what is under /plain/; pages of other origins may have them too.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

const isolated = {
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-embedder-policy": "require-corp",
  "cross-origin-resource-policy": "same-origin",
};

const types: Readonly<Record<string, string>> = { css: "text/css", html: "text/html", js: "text/javascript" };

export interface Pages {
  /** Where they are: ends without a slash. */
  readonly origin: string;
  /** The paths that were asked for, in order. */
  readonly asked: readonly string[];
  /** The next body that a page posts. */
  posted(): Promise<string>;
  close(): void;
}

/** Serves files by their paths, which begin with a slash; those under /plain/ are the same ones. */
export async function servePages(files: Readonly<Record<string, string | Uint8Array>>): Promise<Pages> {
  const asked: string[] = [];
  let tell: (body: string) => void = () => {};
  const server = createServer((request, response) => {
    if (request.method === "POST") {
      const parts: Uint8Array[] = [];
      request.on("data", (part) => parts.push(part));
      request.on("end", () => tell(Buffer.concat(parts).toString()));
    }
    const [path] = request.url!.split("?");
    asked.push(path);
    const name = path.replace(/^\/plain\//, "/");
    const body = files[name.endsWith("/") ? `${name}index.html` : name];
    const type = types[name.endsWith("/") ? "html" : name.split(".").at(-1)!] ?? "application/octet-stream";
    response.writeHead(body === undefined ? 404 : 200, {
      ...(path.startsWith("/plain/") ? {} : isolated),
      "content-type": type,
      "access-control-allow-origin": "*",
    });
    response.end(body);
  }).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    posted: () => new Promise((resolve) => (tell = resolve)),
    close: () => void server.close(),
  };
}
