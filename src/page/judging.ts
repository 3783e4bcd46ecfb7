// The two boxes below the training: a run that is verified, and two that are compared. Each takes runs by drop, by file inputs, or the one that the page itself trained.
import { diffInWorker, type GivenFiles, verifyInWorker } from "../worker/index.ts";
import { chosen, dropped, type Files, runIn } from "./archive.ts";
import { made, part, told } from "./parts.ts";
import { dataOf } from "./presets.ts";

/** How the page gives a data set's files, by their paths. */
export type GiveData = (paths: readonly string[]) => GivenFiles;

/** What to show of a run, or two. */
type Show = (...elements: HTMLElement[]) => void;

/** The data that a run's config names. */
function dataFor(run: Files, give: GiveData): GivenFiles {
  const configs = Object.entries(run).filter(([path]) => /\.ya?ml$/.test(path));
  return give(configs.flatMap(([, bytes]) => dataOf(new TextDecoder().decode(bytes))));
}

async function verify([files]: readonly Files[], give: GiveData, show: Show): Promise<void> {
  const run = runIn(files, "run");
  show(made("p", "Training it again …"));
  const found = await verifyInWorker({ folder: "run", files: { ...dataFor(run, give), ...run } });
  const { verdict, steps, expected, digest, difference, firstDifference, checks } = found;
  const words: Readonly<Record<typeof verdict, string>> = {
    same: `Verified: all ${steps} steps came out the same`,
    "same, stopped early": `Verified up to step ${steps}, where the run was stopped`,
    different: `Not the same${firstDifference === undefined ? "" : ` from step ${firstDifference} on`}`,
  };
  const rows = checks.map(({ what, found: one, detail }) => `${one.padEnd(8)} ${what}${detail ? `: ${detail}` : ""}`);
  const digests = [`expected ${expected ?? "–"}`, `digest   ${digest ?? "–"}`];
  const table = made("pre", [...(difference ? [difference, ""] : []), ...digests, "", ...rows].join("\n"));
  table.tabIndex = 0;
  show(made("h3", words[verdict], { found: verdict === "different" ? "different" : "same" }), table);
}

async function compare([first, second]: readonly Files[], give: GiveData, show: Show): Promise<void> {
  const runs = { ...runIn(first, "first"), ...runIn(second, "second") };
  show(made("p", "Comparing …"));
  const { equal, lines } = await diffInWorker({
    first: "first",
    second: "second",
    files: { ...dataFor(runs, give), ...runs },
  });
  const text = made("pre", lines.join("\n"));
  text.tabIndex = 0;
  const words = equal ? "The two runs are the same" : "The two runs differ";
  show(made("h3", words, { found: equal ? "same" : "different" }), text);
}

/** One box: it collects runs until it has as many as it judges. */
class Box {
  readonly #box: HTMLElement;
  readonly #found: HTMLElement;
  readonly #wanted: number;
  readonly #judge: (runs: readonly Files[], show: Show) => Promise<void>;
  #runs: Files[] = [];
  #busy = false;

  constructor(id: string, wanted: number, judge: (runs: readonly Files[], show: Show) => Promise<void>) {
    this.#box = part(id);
    this.#found = this.#box.querySelector<HTMLElement>(".found")!;
    this.#wanted = wanted;
    this.#judge = judge;
    for (const input of this.#box.querySelectorAll<HTMLInputElement>("input[type=file]")) {
      input.addEventListener("change", async () => {
        await this.take(() => chosen(input.files!));
        // The same file may be chosen again.
        input.value = "";
      });
    }
    this.#box.addEventListener("dragover", (event) => {
      event.preventDefault();
      event.dataTransfer!.dropEffect = "copy";
      this.#box.classList.add("over");
    });
    this.#box.addEventListener("dragleave", () => this.#box.classList.remove("over"));
    this.#box.addEventListener("drop", (event) => {
      event.preventDefault();
      this.#box.classList.remove("over");
      const runs = dropped(event.dataTransfer!.items);
      void this.take(() => runs);
    });
  }

  readonly #show: Show = (...elements) => this.#found.replaceChildren(...elements);

  /** Takes runs, and judges them once there are enough. */
  async take(give: () => Promise<readonly Files[]>): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    try {
      this.#runs.push(...(await give()));
      if (this.#runs.length < this.#wanted) {
        this.#show(made("p", `One run is here. Now the other.`));
        return;
      }
      await this.#judge(this.#runs.splice(0), this.#show);
    } catch (error) {
      this.#runs = [];
      this.#show(made("h3", "It can't be judged", { found: "different" }), made("pre", told(error)));
    } finally {
      this.#busy = false;
    }
  }
}

/** Makes both boxes work. Gives what to tell them once the page has trained a run of its own. */
export function startJudging(give: GiveData): (run: Files) => void {
  const verifying = new Box("verify", 1, (runs, show) => verify(runs, give, show));
  const comparing = new Box("compare", 2, (runs, show) => compare(runs, give, show));
  let own: Files | undefined;
  const buttons = [
    [part<HTMLButtonElement>("verify-own"), verifying],
    [part<HTMLButtonElement>("compare-own"), comparing],
  ] as const;
  for (const [button, box] of buttons) button.addEventListener("click", () => void box.take(async () => [own!]));
  return (run) => {
    own = run;
    for (const [button] of buttons) button.disabled = false;
  };
}
