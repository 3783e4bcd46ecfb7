// The command line: `seedgrad COMMAND`. One file a command; here only the flags and which command they belong to.
import { Command, CommanderError } from "commander";
import { setDefaultVectorWidth } from "../backend/load.ts";
import type { VectorWidth } from "../backend/wasm/width.ts";
import { printableMessage } from "../core/printable.ts";
import { families } from "../train/config/families.ts";
import { type AttestationFlags, attestations, makeKeyFile } from "./attestations.ts";
import { checkpointDiff, checkpointInfo } from "./checkpoint.ts";
import { exitCodesText, oneLine, report } from "./command.ts";
import { type CompareFlags, compare, parseMetric, parseTarget } from "./compare.ts";
import { completion } from "./completion.ts";
import { diffConfigs, showConfig, validateConfig } from "./config.ts";
import { type DiffFlags, diff } from "./diff.ts";
import { doctor } from "./doctor.ts";
import { parseScheduler } from "./emit.ts";
import { type ExplainFlags, explain } from "./explain.ts";
import { fitConfig } from "./fit.ts";
import {
  addTo,
  parseBackend,
  parseCount,
  parseShare,
  parseStep,
  parseWeights,
  type RunFlags,
  withBackendFlags,
  withImport,
  withRunFlags,
  withVectorWidth,
} from "./flags.ts";
import { list, plural } from "./list.ts";
import { type PredictFlags, predict } from "./predict.ts";
import { parseRunnerName, type RunnerFlags, runner } from "./runner.ts";
import { schema } from "./schema.ts";
import { seedFromText } from "./seed.ts";
import { type SweepFlags, sweep } from "./sweep.ts";
import { test, validate, validateAll } from "./validate.ts";
import { type VerifyFlags, verify } from "./verify.ts";
import { parseOp } from "./verifyop.ts";
import { version } from "./version.ts";

const program = new Command("seedgrad")
  .description("Training runs that come out the same to the last bit.")
  .version(version())
  .showSuggestionAfterError()
  .exitOverride()
  .configureOutput({ writeErr: (text) => void process.stderr.write(printableMessage(text)) });

const comparisons = new Map<Command, { 0: string; 1: string }>();
program.addHelpText("afterAll", ({ command }) => exitCodesText(comparisons.get(command)));

/** Has `--help` say what the exit codes of a command that compares mean. */
function comparing(command: Command, same: string, other: string): Command {
  comparisons.set(command, { 0: `the same${same}`, 1: other });
  return command;
}

withRunFlags(program.command("fit").argument("<config>", "YAML file"))
  .description("train; a preset's digest is compared with the published one")
  .option("--ckpt <path>", "checkpoint to start from, best, last, or none; left out: the latest in the run's folder")
  .option("--fresh", "a new run folder if the config's is there already")
  .action((config: string, flags: RunFlags) => report(flags.json, () => fitConfig(config, flags)));

withVectorWidth(
  withImport(program.command("sweep").argument("<sweep>", "YAML file: a config, and what varies over it")),
)
  .description("many runs: settings × seeds, each in a folder of its own; what is finished isn't made again")
  .option("--jobs <n>", "runs at once; left out: as many as the cores carry", parseCount)
  .option("--folder <folder>", "what holds the runs' folders, in place of the file's")
  .option("--dry-run", "print the plan, and about how long it takes; nothing is written")
  .option("--queue <address>", "have them made by the runners of a queue: redis://HOST:PORT; see seedgrad runner")
  .option("--store <address>", "with --queue: where runs are fetched from, file:FOLDER or s3://BUCKET/PREFIX")
  .option("--emit <scheduler>", "print a job array that makes the runs: slurm or kubernetes", parseScheduler)
  .option("--image <name>", "with --emit kubernetes: an image that has the command seedgrad")
  .option("--claim <name>", "with --emit kubernetes: the claim of the volume that holds the sweep, its config and data")
  .option("--replicas <n>", "with --queue: so many other machines replay a run, and sign what they found", parseCount)
  .option("--share <part>", "the part of the runs that is replayed, above 0 and at most 1; left out: 1", parseShare)
  .option("--share-seed <n>", "the seed of the draw which says which; left out: a new one", (text: string) =>
    seedFromText("--share-seed", text),
  )
  .option(
    "--replay-steps <k>",
    "so many steps of each, from where the machine's own draw says; left out: all",
    parseCount,
  )
  .option("--only <index>", "this run alone, from 0: what a job of an array makes", parseStep)
  .option("--plan <digest>", "refuse a plan that has another digest: of a job array, the one that it was written for")
  .option("--json", "the last line of stdout is one JSON object")
  .action((file: string, flags: SweepFlags) => report(flags.json, () => sweep(file, flags)));

for (const [name, evaluate, data] of [
  ["validate", validate, "the validation data"],
  ["test", test, "data that nothing was chosen by: test_dataloader under trainer.test"],
] as const) {
  withRunFlags(program.command(name).argument("<what>", "YAML file, or a run's folder"))
    .description(`metrics of a checkpoint's weights on ${data}`)
    .option(
      "--ckpt <path>",
      "checkpoint or file of weights, best, last, or none; left out: the latest in the run's folder",
    )
    .option("--weights <which>", "raw or average; left out: what the run validates with", parseWeights)
    .action((what: string, flags: RunFlags) => report(flags.json, () => evaluate(what, flags)));
}

withRunFlags(program.command("validate-all").argument("<config>", "YAML file"))
  .description("validate every checkpoint of the run's folder, or those that a pattern names, on every loader")
  .option("--ckpts <pattern>", "checkpoints: 'runs/a/checkpoints/*.safetensors'")
  .option("--weights <which>", "raw or average; left out: what the run validates with", parseWeights)
  .action((config: string, flags: RunFlags & { ckpts?: string }) =>
    report(flags.json, () => validateAll(config, flags)),
  );

withRunFlags(program.command("predict").argument("<config>", "YAML file"))
  .description("the model's outputs for inputs in a file")
  .requiredOption("--input <file>", "CSV, Parquet, IDX, .npy, .npz or safetensors")
  .option("--output <file>", "ends with .csv, .jsonl or .safetensors; left out: JSON lines on stdout")
  .option(
    "--ckpt <path>",
    "checkpoint or file of weights, best, last, or none; left out: the latest in the run's folder",
  )
  .option("--weights <which>", "raw or average; left out: what the run validates with", parseWeights)
  .option("--batch-size <n>", "samples at once", parseCount)
  .action((config: string, flags: PredictFlags) => report(flags.json, () => predict(config, flags)));

comparing(
  withBackendFlags(
    withImport(
      program.command("verify").argument("<run>", "a run's folder; a YAML file, with --against; or the proof of an op"),
    ),
  ),
  "",
  "not the same, or the folder is damaged",
)
  .description("replay a run in memory and compare its chain and digest")
  .option("--from <step>", "begin at the run's checkpoint of this step", parseStep)
  .option("--steps <n>", "replay at most so many steps", parseCount)
  .option("--share <k>", "replay k steps alone, from where a draw of the verifier's says", parseCount)
  .option("--share-seed <n>", "the seed of that draw; left out: a new one", (text: string) =>
    seedFromText("--share-seed", text),
  )
  .option("--queue <address>", "have runners replay it, none of them that made it: redis://HOST:PORT")
  .option("--store <address>", "with --queue: file:FOLDER or s3://BUCKET/PREFIX, as the runners have it")
  .option("--replicas <n>", "with --queue: by so many of them; left out: 1", parseCount)
  .option("--attest <file>", "sign what was found with these keys, into the run's attestations.jsonl")
  .option("--against <what>", "a digest, or a manifest, in place of the run's own")
  .option(
    "--op <step:node>",
    "one op of a step alone: its number, or an output's name; without it all of the step's are listed",
    parseOp,
  )
  .option(
    "--output <file>",
    "with --op: writes the op's proof, or the list; a proof is judged by verify FILE, without the run",
  )
  .option("--data <folder>", "where the files and folders of data lie that the run's config names")
  .option("--backend <name>", "another backend than the run's", parseBackend)
  .option("--json", "the last line of stdout is one JSON object")
  .action((run: string, flags: VerifyFlags) => report(flags.json, () => verify(run, flags)));

comparing(
  withBackendFlags(
    withImport(program.command("diff").argument("<a>", "a run's folder, or a YAML file").argument("<b>", "another")),
  ),
  " to the end; with --steps, for so many steps",
  "something differs, or one goes on where the other ends; or a folder is damaged",
)
  .description("why two runs or configs differ: what they were given, the first step, the first op")
  .option("--backend <names>", "where to replay: one for both sides, or one for each, with a comma")
  .option("--steps <n>", "compare the first so many steps alone", parseCount)
  .option("--json", "the last line of stdout is one JSON object")
  .action((a: string, b: string, flags: DiffFlags) => report(flags.json, () => diff(a, b, flags)));

program
  .command("compare")
  .argument("<runs...>", "folders of two runs or more, of any origin")
  .description(
    "what several runs came to: settings that differ, metrics, quartiles over seeds, steps to a target, the best settings",
  )
  .option("--metric <name>", "the number to rank by: accuracy; NAME=min or NAME=max says its direction", parseMetric)
  .option(
    "--target <name=value>",
    "count the steps to a value: accuracy=0.97; or NAME>=VALUE, NAME<=VALUE",
    parseTarget,
  )
  .option("--csv <file>", "writes the table")
  .option("--html <file>", "writes a page: the table, curves, quartiles")
  .option("--json", "the last line of stdout is one JSON object")
  .action((runs: string[], flags: CompareFlags) => report(flags.json, () => compare(runs, flags)));

comparing(
  withRunFlags(program.command("explain").argument("<what>", "YAML file, or a run's folder")),
  ", or nothing was compared",
  "with --against: other graphs",
)
  .description("graphs, hashes, plans, what kernels cost, and the ledger of draws")
  .option("--kernels", "the schedule: every kernel and its loops as text")
  .option("--html <file>", "draws the graphs in one page")
  .option("--against <other>", "where the graphs of another config or run differ, node by node")
  .action((what: string, flags: ExplainFlags) => report(flags.json, () => explain(what, flags)));

withBackendFlags(program.command("runner"))
  .description("make the runs that a queue holds, until it is stopped; passwords come from the environment")
  .requiredOption("--queue <address>", "redis://HOST:PORT, with REDIS_USERNAME and REDIS_PASSWORD in the environment")
  .requiredOption(
    "--store <address>",
    "where checkpoints and runs go: file:FOLDER, or s3://BUCKET/PREFIX with AWS_ENDPOINT_URL_S3, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
  )
  .option("--concurrency <n>", "runs at once; left out: 1", parseCount)
  .option(
    "--lease <seconds>",
    "without a sign of life for so long a runner's job is another's; left out: 30",
    parseCount,
  )
  .option(
    "--name <name>",
    "what others call this runner, beside letters that are drawn: store, statements and sweeps show it; left out: runner",
    parseRunnerName,
  )
  .option("--keys <file>", "check others' runs too, and sign what is found: a file of seedgrad keys new")
  .option("--import <program>", "a program that jobs may name, by its content; may be given again", addTo)
  .option("--backend <name>", "in place of the jobs' own", parseBackend)
  .option("--json", "the last line of stdout is one JSON object")
  .action((flags: RunnerFlags) => report(flags.json, () => runner(flags)));

program
  .command("keys")
  .description("keys that runners sign with")
  .command("new")
  .argument("<file>", "a new file, which its owner alone may read")
  .description("make a pair of keys")
  .option("--json", "the last line of stdout is one JSON object")
  .action((file: string, flags: { json?: boolean }) => report(flags.json, () => makeKeyFile(file)));

comparing(
  program.command("attestations").argument("<runs...>", "runs' folders"),
  ", by somebody who counts",
  "disputed, found different, or not attested",
)
  .description("what runners who replayed a run signed, and whether it counts")
  .requiredOption("--trusted <file>", "the public keys that count for you: a line each, 64 hex digits and a name")
  .option("--json", "the last line of stdout is one JSON object")
  .action((runs: string[], flags: AttestationFlags) => report(flags.json, () => attestations(runs, flags)));

const config = program.command("config").description("configs alone: nothing is trained");
withRunFlags(config.command("validate").argument("<config>", "YAML file"))
  .description("check a config")
  .action((file: string, flags: RunFlags) => report(flags.json, () => validateConfig(file, flags)));
withRunFlags(config.command("show").argument("<config>", "YAML file"))
  .description("the effective config: defaults and flags included")
  .action((file: string, flags: RunFlags) => report(flags.json, () => showConfig(file, flags)));
comparing(
  withRunFlags(config.command("diff").argument("<a>", "YAML file").argument("<b>", "another")),
  "",
  "something differs",
)
  .description("what two effective configs differ in")
  .action((a: string, b: string, flags: RunFlags) => report(flags.json, () => diffConfigs(a, b, flags)));

const checkpoint = program.command("checkpoint").description("what checkpoints hold");
checkpoint
  .command("info")
  .argument("<path>", "a checkpoint, or a run's folder")
  .description("state and tensors of a checkpoint, or the checkpoints of a folder")
  .option("--json", "the last line of stdout is one JSON object")
  .action((path: string, flags: RunFlags) => report(flags.json, () => checkpointInfo(path)));
comparing(
  checkpoint.command("diff").argument("<a>", "a checkpoint").argument("<b>", "another"),
  "",
  "something differs, or one is damaged",
)
  .description("fields and tensors that differ, and by how much")
  .option("--json", "the last line of stdout is one JSON object")
  .action((a: string, b: string, flags: RunFlags) => report(flags.json, () => checkpointDiff(a, b)));

program
  .command("list")
  .argument("[family]", `one of ${Object.keys(families).map(plural).join(", ")}`)
  .argument("[name]", "one of them")
  .description("what a config may name, and the options of each")
  .option("--import <program>", "a program to import first; may be given again", addTo)
  .option("--json", "the last line of stdout is one JSON object")
  .action((family: string | undefined, name: string | undefined, flags: RunFlags) =>
    report(flags.json, () => list(family, name, flags)),
  );

program
  .command("schema")
  .description("JSON Schema of configs, for editors")
  .option("--json", "on one line")
  .action((flags: { json?: boolean }) => report(flags.json, () => schema(flags)));

program
  .command("completion")
  .argument("<shell>", "bash or zsh")
  .description("a script that completes commands and flags: source <(seedgrad completion bash)")
  .option("--json", "the last line of stdout is one JSON object")
  .action((shell: string, flags: { json?: boolean }) => report(flags.json, () => completion(program, shell)));

program
  .command("doctor")
  .description("backends, their class, and what a probe of each found")
  .option("--json", "the last line of stdout is one JSON object")
  .action((flags: { json?: boolean }) => report(flags.json, () => doctor()));

program.hook("preAction", (_, command) => {
  setDefaultVectorWidth(command.opts<{ vectorWidth?: VectorWidth }>().vectorWidth ?? "auto");
});

/** Runs the command line: what comes after `seedgrad`. Sets the process's exit code. */
export async function main(args: readonly string[]): Promise<void> {
  try {
    await program.parseAsync(args, { from: "user" });
  } catch (error) {
    const json = args.includes("--json");
    if (!(error instanceof CommanderError)) return report(json, () => Promise.reject(error));
    process.exitCode = error.exitCode === 0 ? 0 : 2;
    const { message } = error;
    if (json && error.exitCode !== 0) process.stdout.write(`${oneLine({ error: { name: "UsageError", message } })}\n`);
  }
}
