// An editor's side of the language server protocol, as far as the tests speak it: JSON-RPC over a child process's pipes.
import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { onTestFinished } from "vitest";

export interface Diagnostic {
  readonly message: string;
  readonly range: { readonly start: { readonly line: number; readonly character: number } };
}

/** The YAML language server, as editors run it. */
export async function yamlLanguageServer() {
  const server = createRequire(import.meta.url).resolve("yaml-language-server/bin/yaml-language-server");
  const child = spawn(process.execPath, [server, "--stdio"], { stdio: ["pipe", "pipe", "ignore"] });
  onTestFinished(() => void child.kill());
  const answers = new Map<number, (result: unknown) => void>();
  const published = new Map<string, (found: Diagnostic[]) => void>();
  let received = Buffer.alloc(0);
  let id = 0;
  const send = (message: object) => {
    const body = JSON.stringify({ jsonrpc: "2.0", ...message });
    child.stdin.write(`Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
  };
  const hear = (message: { id?: number; method?: string; result?: unknown; params?: Record<string, unknown> }) => {
    if (message.method === undefined) answers.get(message.id!)?.(message.result);
    else if (message.method === "textDocument/publishDiagnostics") {
      published.get(message.params!.uri as string)?.(message.params!.diagnostics as Diagnostic[]);
    } else if (message.id !== undefined) {
      send({ id: message.id, result: message.method === "workspace/configuration" ? [{}, {}, {}, {}, {}] : null });
    }
  };
  child.stdout.on("data", (chunk: Buffer) => {
    received = Buffer.concat([received, chunk]);
    for (;;) {
      const head = received.indexOf("\r\n\r\n");
      if (head < 0) return;
      const end = head + 4 + Number(/Content-Length: (\d+)/i.exec(received.toString("latin1", 0, head))![1]);
      if (received.length < end) return;
      const body = received.toString("utf8", head + 4, end);
      received = received.subarray(end);
      hear(JSON.parse(body));
    }
  });
  const request = (method: string, params: object) =>
    new Promise<unknown>((resolve) => {
      answers.set(++id, resolve);
      send({ id, method, params });
    });
  await request("initialize", { processId: process.pid, rootUri: null, capabilities: {} });
  send({ method: "initialized", params: {} });
  return {
    /** Opens a document. Returns what the server complains of. */
    open: (uri: string, text: string) =>
      new Promise<Diagnostic[]>((resolve) => {
        published.set(uri, resolve);
        send({
          method: "textDocument/didOpen",
          params: { textDocument: { uri, languageId: "yaml", version: 1, text } },
        });
      }),
    /** What may be written at a place. */
    complete: async (uri: string, line: number, character: number): Promise<string[]> => {
      const answer = (await request("textDocument/completion", {
        textDocument: { uri },
        position: { line, character },
      })) as {
        items: { label: string }[];
      };
      return answer.items.map(({ label }) => label);
    },
    /** What is said of a place. */
    hover: async (uri: string, line: number, character: number): Promise<string> => {
      const answer = await request("textDocument/hover", { textDocument: { uri }, position: { line, character } });
      return JSON.stringify(answer);
    },
  };
}
