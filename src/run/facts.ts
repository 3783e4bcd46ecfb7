// What makes two runs the same, once. A manifest says the facts of a run that there was; a program that is there to be run says the same of itself
// (train/facts). Each fact is read from either, compared by name as text, and a difference is told in one form; who asks says which facts decide.
import { leavesOf } from "./leaves.ts";
import type { Hyperparameter, Manifest, ValidationData } from "./manifest.ts";
import { programName } from "./programs.ts";

/** What a run was given, as its manifest has it. */
export type RunFacts = Pick<
  Manifest,
  "seed" | "shuffleSeeds" | "graphs" | "data" | "hyperparameters" | "validation" | "config" | "imports"
>;

export type FactKind =
  | "seed"
  | "shuffle seed"
  | "graph"
  | "graphs"
  | "data"
  | "numbers"
  | "validation"
  | "config"
  | "imports";

type Texts = ReadonlyMap<string, string>;

interface Fact {
  /** Its values by name; undefined where a run says nothing of it, and then it decides nothing. */
  readonly read: (facts: Partial<RunFacts>) => Texts | undefined;
  /** Before each name, where a difference is told. */
  readonly prefix?: string;
  /** Whether bits may depend on a value; all do unless it says so. */
  readonly matters?: (name: string) => boolean;
  /** What to do where a checkpoint says otherwise. */
  readonly hint?: string;
}

const one = (name: string, value: string | undefined): Texts => new Map(value === undefined ? [] : [[name, value]]);
const entries = (record: Readonly<Record<string, string>> = {}): Texts => new Map(Object.entries(record));

/** Keys of a config that decide where and how fast it runs, how much is written, and what else is done with what it trained. */
const informs =
  /^(imports\[|trainer\.(validate|test|validate_all)\b|trainer\.init\.(model_dir|backend|threads|logging|loggers|checkpoint)\b)/;

const facts: Readonly<Record<FactKind, Fact>> = {
  seed: { read: ({ seed }) => one("seed", seed), hint: "use the run's own seed, or another folder" },
  /** The seed that the training loader's order is drawn from, where it has one of its own. */
  "shuffle seed": { read: ({ shuffleSeeds }) => one("shuffle seed", shuffleSeeds?.join()) },
  /** The training step's graph at the full batch. */
  graph: {
    read: ({ graphs }) => one("graph", graphs?.train),
    hint: "model, loss, optimizer or batch size changed: use another folder, or ckptPath: null",
  },
  /** All graphs that ran, by role. */
  graphs: { read: ({ graphs }) => entries(graphs) },
  /** SHA-256 of the training data, and of weights from files. */
  data: { read: ({ data }) => entries(data), prefix: "data " },
  /** Of optimizer, schedules, callbacks that train, and the loader. */
  numbers: {
    read: ({ hyperparameters = {} }) =>
      new Map(Object.entries(hyperparameters).map(([name, number]) => [name, numberText(number)])),
  },
  /** Of the loaders that a run's schedules, or its length, go by. A run without says nothing of them. */
  validation: { read: ({ validation }) => validation && validationFacts(validation), prefix: "validation " },
  /** Leaves by path. A run that was made in code has none. */
  config: {
    read: ({ config }) => (config ? configTexts(config) : undefined),
    matters: (name) => !informs.test(name),
  },
  /** SHA-256 of the programs that the config's classes come from, by their files' names. */
  imports: {
    read: ({ imports = {} }) =>
      new Map(Object.entries(imports).map(([name, { sha256 }]) => [programName(name), sha256])),
    prefix: "import ",
  },
};

/** Which facts decide, by who asks, in the order in which they are told. */
export const deciding = {
  /** Whether a checkpoint is of this run. */
  checkpoint: ["seed", "graph"],
  /** Whether a folder holds this run, to go on with. A config may grow longer, and programs are held against their graph. */
  resume: ["seed", "graph", "shuffle seed", "data", "numbers", "validation"],
  /** What one digest stands for. */
  digest: ["seed", "shuffle seed", "graph", "data"],
  /** What two sides of a diff were given. The graph comes last: it is what comes of the rest. */
  diff: ["seed", "shuffle seed", "config", "numbers", "data", "validation", "imports", "graph"],
} as const satisfies Readonly<Record<string, readonly FactKind[]>>;

/** A fact in which two runs differ. */
export interface FactDifference {
  /** `seed`, `data mnist/train/images`, `validation batchSize`, or the config's path. */
  readonly what: string;
  /** As text; `none` where a side has no such value. */
  readonly first: string;
  readonly second: string;
  /** Whether bits may depend on it. */
  readonly matters: boolean;
}

/** A difference, and of which fact. */
export interface KindDifference extends FactDifference {
  readonly kind: FactKind;
  /** `what` without its kind: `mnist/train/images`. */
  readonly name: string;
}

/** In which facts of the given kinds two runs differ. */
export function compareFacts(
  a: Partial<RunFacts>,
  b: Partial<RunFacts>,
  kinds: readonly FactKind[],
): readonly KindDifference[] {
  return kinds.flatMap((kind) => {
    const { read, prefix = "", matters = () => true } = facts[kind];
    const [x, y] = [read(a), read(b)];
    if (!x || !y) return [];
    return [...new Set([...x.keys(), ...y.keys()])].flatMap((name) => {
      const [first = "none", second = "none"] = [x.get(name), y.get(name)];
      return first === second ? [] : [{ kind, name, what: prefix + name, first, second, matters: matters(name) }];
    });
  });
}

/** What to do about a checkpoint that says otherwise. */
export const hintOf = ({ kind }: KindDifference): string | undefined => facts[kind].hint;

const numberText = ({ value, float32 }: Hyperparameter): string => `${value} (${float32})`;

/** A difference without the numbers' bits, for a reader. */
export function inShort(difference: KindDifference): KindDifference {
  if (difference.kind !== "numbers") return difference;
  const short = (text: string) => text.replace(/ \([0-9a-f]{8}\)$/, "");
  return { ...difference, first: short(difference.first), second: short(difference.second) };
}

/** Leaves as JSON; an integer too large for a number is digits in either, as a seed is. */
const configTexts = (config: Manifest["config"]): Texts =>
  new Map([...leavesOf(config)].map(([path, leaf]) => [path, leaf.replace(/^"(\d+)"$/, "$1")]));

/** Of validation loaders, each value by name: `batchSize`, `data points.csv`; of the second loader and later ones with its number before it. */
function validationFacts(recorded: readonly ValidationData[]): Texts {
  const all = recorded.flatMap(({ digests, ...numbers }, i) => {
    const data = Object.entries(digests).map(([name, digest]) => [`data ${name}`, digest] as const);
    return [...Object.entries(numbers), ...data].map(
      ([what, value]) => [`${i === 0 ? "" : `loader ${i + 1}, `}${what}`, String(value)] as const,
    );
  });
  return new Map(all);
}
