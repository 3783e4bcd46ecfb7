// Training in a worker of a page in Firefox, another engine than Node's: the same digest on all threads, and the page's own thread free.
import { expect, test } from "vitest";
import { noFirefox, openInFirefox } from "../support/firefox.ts";
import { servePages } from "../support/pages.ts";
import { trainHere, workerPages } from "./worker-page.ts";

test.skipIf(noFirefox)(
  "a preset in a worker in Firefox: Node's digest, threads, errors, and a page that has its turns",
  // Other work of the machine may have the page wait, and an idle thread not.
  { retry: 1 },
  async () => {
    const pages = await servePages(await workerPages());
    const posted = pages.posted();
    const close = openInFirefox(`${pages.origin}/alone.html`);
    try {
      const outcome = JSON.parse(await posted);
      const { digest, graphHash } = await trainHere();
      expect(outcome).toMatchObject({ digest, graphHash, isolated: true, threads: outcome.available });
      // Long enough for Firefox to compile what is run often: it has mistaken such a loop of reference.
      expect(outcome.digests[1]).toBe(outcome.digests[0]);
      expect(outcome.refused).toMatchObject({
        name: "ConfigError",
        position: { file: "mnist-mlp.yaml", line: 3, column: 5 },
      });
      const [idle, own] = (outcome.gaps as number[][]).map((gaps) => gaps[Math.floor(0.99 * gaps.length)]);
      console.info(`timer gaps in Firefox beside a training, ms: p99 of an idle thread ${idle}, of the page's ${own}`);
      expect(own).toBeLessThanOrEqual(Math.max(25, 1.5 * idle));
    } finally {
      close();
      pages.close();
    }
  },
);
