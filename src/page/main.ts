// The page: what a reader chooses is trained in a worker, and its digest shown beside the published one.
import { InterruptedError } from "../core/errors.ts";
import { startTraining, type WorkerRun, type WorkerTraining } from "../worker/index.ts";
import { type Files, unpacked, zipped } from "./archive.ts";
import { offerBackends, showBackend, showRunCertificate } from "./backends.ts";
import { type Choice, choiceOf, choiceOfLink, firstChoice, linkOf } from "./choice.ts";
import { type GiveData, startJudging } from "./judging.ts";
import { clearLive, showLive } from "./live.ts";
import { made, part, told } from "./parts.ts";
import { dataFiles, dataOf, presets } from "./presets.ts";
import { expectedOf, judge } from "./verdict.ts";

const form = part<HTMLFormElement>("form");
const [train, stop] = [part<HTMLButtonElement>("train"), part<HTMLButtonElement>("stop")];
const fields = ["preset", "seed", "threads", "backend", "steps"] as const;
let training: WorkerTraining | undefined;
let finished: { readonly choice: Choice; readonly files: Files } | undefined;

function problem(error: unknown): void {
  part("problem").hidden = error === undefined;
  part("problem").textContent = error === undefined ? "" : told(error);
}

/** A digest in groups of eight; digits that another hasn't are marked. */
function showDigest(place: HTMLElement, digest: string, beside = digest): void {
  const groups = Array.from({ length: Math.ceil(digest.length / 8) }, (_, i) => {
    const [own, other] = [digest.slice(8 * i, 8 * i + 8), beside.slice(8 * i, 8 * i + 8)];
    const group = made("i", own === other ? own : "");
    if (own !== other) group.append(made("mark", own));
    return group;
  });
  place.replaceChildren(...groups);
}

/** Data files that the reader has, by their names; the server's, which are gzipped, are used for the rest. */
const ownData = new Map<string, Uint8Array>();
const giveData: GiveData = (paths) =>
  Object.fromEntries(
    paths.map((path) => {
      const own = ownData.get(path.split("/").at(-1)!);
      return own ? [path, own] : [`${path}.gz`, new URL(dataFiles[path], location.href)];
    }),
  );
const tellJudges = startJudging(giveData);

/** What the form says. Throws ConfigError. */
function chosen(): Choice {
  return choiceOf(Object.fromEntries(fields.map((name) => [name, part<HTMLInputElement>(name).value])));
}

/** Before a run: what is to come out. */
function showExpected(choice: Choice): void {
  const expected = expectedOf(choice);
  part("result").dataset.found = "none";
  part("verdict").textContent = "Not trained yet";
  part("yours").textContent = "—";
  part("after").hidden = true;
  if ("digest" in expected) showDigest(part("published"), expected.digest);
  else part("published").textContent = "none to compare with";
  part("more").textContent =
    "digest" in expected
      ? "Press Train: your machine computes all of it anew, and comes to these digits."
      : expected.why;
  const { preset, seed, steps } = choice;
  part("command").textContent =
    `npm run seedgrad -- fit src/presets/${preset}.yaml --seed ${seed}${steps === undefined ? "" : ` --max-steps ${steps}`} --fresh`;
}

/** What is tried when a page is opened would be loaded by everyone: only who looks at the backends has them tried. */
function tryChosen(): void {
  if (part<HTMLDetailsElement>("options").open) void showBackend(part<HTMLSelectElement>("backend").value);
}

/** Puts a choice in the form. */
function show(choice: Choice): void {
  for (const name of fields) part<HTMLInputElement>(name).value = String(choice[name] ?? "");
  if (choice.backend !== firstChoice.backend) part<HTMLDetailsElement>("options").open = true;
  tryChosen();
  showExpected(choice);
}

function showRun(choice: Choice, run: WorkerRun): void {
  const { found, words, more } = judge(choice, run.digest);
  const expected = expectedOf(choice);
  part("result").dataset.found = found;
  showDigest(part("yours"), run.digest, "digest" in expected ? expected.digest : run.digest);
  part("verdict").textContent = words;
  const { steps, seconds, backend, threads } = run;
  const how = `${steps} steps in ${seconds.toFixed(1)} s on ${backend}, ${threads} ${threads === 1 ? "thread" : "threads"}.`;
  part("more").textContent = `${more} ${how}`;
  part("after").hidden = false;
}

async function start(choice: Choice): Promise<void> {
  const { preset, seed, threads, backend, steps } = choice;
  const response = await fetch(`presets/${preset}.yaml`);
  if (!response.ok) throw new Error(`presets/${preset}.yaml: status ${response.status}`);
  const config = await response.text();
  const overrides = { seed, ...(steps !== undefined && { maxSteps: steps }) };
  const files = giveData(dataOf(config));
  training = startTraining({ config, name: `${preset}.yaml`, overrides, threads, backend, files, keepFiles: true });
  showLive(training);
  const begun = training.on("progress", () => {
    begun();
    part("verdict").textContent = "Training …";
  });
  stop.disabled = false;
  const run = await training;
  showRun(choice, run);
  finished = { choice, files: run.files! };
  showRunCertificate(backend, run.files!);
  tellJudges(finished.files);
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  if (train.disabled) return;
  problem(undefined);
  try {
    const choice = chosen();
    history.replaceState(null, "", linkOf(choice));
    clearLive();
    showExpected(choice);
    part("verdict").textContent = "Loading the data …";
    part("more").textContent = "The digest is known once the last step is taken.";
    train.disabled = true;
    await start(choice);
  } catch (error) {
    const stopped = error instanceof InterruptedError;
    part("verdict").textContent = stopped ? "Stopped" : "Not trained";
    part("more").textContent = stopped ? "A run that is stopped has no digest." : "";
    if (!stopped) problem(error);
  } finally {
    training = undefined;
    const focused = document.activeElement === stop;
    [train.disabled, stop.disabled] = [false, true];
    // A button that is switched off loses the focus to nothing.
    if (focused) train.focus();
  }
});

stop.addEventListener("click", () => training?.stop());

form.addEventListener("change", async ({ target }) => {
  if (target === part("data")) {
    const given = Array.from(part<HTMLInputElement>("data").files!);
    for (const file of given) ownData.set(file.name.replace(/\.gz$/, ""), await unpacked(file));
    return;
  }
  if (training) return;
  try {
    const choice = chosen();
    problem(undefined);
    history.replaceState(null, "", linkOf(choice));
    showExpected(choice);
    if (target === part("backend")) tryChosen();
  } catch (error) {
    problem(error);
  }
});

part("options").addEventListener("toggle", tryChosen);

part("save").addEventListener("click", async () => {
  const { choice, files } = finished!;
  const url = URL.createObjectURL(new Blob([(await zipped(files)) as Uint8Array<ArrayBuffer>]));
  const link = document.createElement("a");
  link.href = url;
  link.download = `${choice.preset}-${choice.seed}.zip`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
});

part("copy").addEventListener("click", async () => {
  const link = new URL(linkOf(finished!.choice), location.href).href;
  await navigator.clipboard.writeText(link).catch(() => prompt("The link to this run", link));
  part("told").textContent = "The link is copied";
});

function showLink(): void {
  if (training) return;
  try {
    show(choiceOfLink(location.hash));
    problem(undefined);
  } catch (error) {
    show(choiceOf({}));
    problem(error);
  }
}

const option = (value: string, text = value) =>
  Object.assign(document.createElement("option"), { value, textContent: text });
part("preset").append(...Object.entries(presets).map(([name, { title }]) => option(name, `${name}: ${title}`)));
const available = navigator.hardwareConcurrency;
const counts = crossOriginIsolated ? Array.from({ length: Math.min(available, 64) }, (_, i) => String(i + 1)) : ["1"];
part("threads").append(option("all", `all (${counts.length})`), ...counts.map((count) => option(count)));
void offerBackends();
part("isolation").textContent = crossOriginIsolated
  ? "The digest is the same with any number of threads, and on each of these backends."
  : "This server doesn’t isolate the page (Cross-Origin-Opener-Policy, Cross-Origin-Embedder-Policy), so there is one thread. The digest is the same.";
addEventListener("hashchange", showLink);
showLink();
