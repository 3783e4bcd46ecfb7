// Documentation of whatever a config may name, out of the JSDoc of functions, classes and options, for where no compiler is: the JSON Schema's descriptions and `seedgrad list`
// read src/train/config/documentation.json, and docs/options.md has a table for each. `npm run docs` writes both; test/docs/generated.test.ts holds them to be current.
import ts from "typescript";
import { Option, type OptionRecord, type Type } from "../src/core/options.ts";
import * as datasets from "../src/data/datasets.ts";
import * as transforms from "../src/data/transforms/index.ts";
import * as losses from "../src/nn/losses.ts";
import * as metrics from "../src/nn/metrics.ts";
import * as models from "../src/nn/models.ts";
import * as optimizers from "../src/optim/optimizers.ts";
import * as schedules from "../src/optim/schedules/index.ts";
import { learningRateNames } from "../src/optim/schedules/schedule.ts";
import * as wrappers from "../src/optim/wrappers.ts";
import * as callbacks from "../src/train/callbacks/index.ts";
import { families } from "../src/train/config/families.ts";
import { toSnake } from "../src/train/config/form.ts";
import * as loggers from "../src/train/loggers/index.ts";
import { cell, firstSentence, root, sources, textOf } from "./sources.ts";

const indexes = {
  "data/datasets": datasets,
  "data/transforms/index": transforms,
  "nn/losses": losses,
  "nn/metrics": metrics,
  "nn/models": models,
  "optim/optimizers": optimizers,
  "optim/schedules/index": schedules,
  "optim/wrappers": wrappers,
  "train/callbacks/index": callbacks,
  "train/loggers/index": loggers,
};

type Texts = Record<string, string>;

/** The JSDoc of options by the name of their record (of several records of one name: the first that says something), and of things by theirs. */
function readSources(): { options: Record<string, Texts>; things: Texts } {
  const program = sources();
  const checker = program.getTypeChecker();
  const options: Record<string, Texts> = {};
  const add = (name: string, fields: ts.Expression) => {
    options[name] ??= {};
    for (const property of checker.getTypeAtLocation(fields).getProperties())
      options[name][property.name] ||= textOf(property);
  };
  const visit = (node: ts.Node): void => {
    if (
      ts.isCallExpression(node) &&
      /^(options(Of)?|layerOptions|lossOptions|closedForm|record)$/.test(node.expression.getText())
    ) {
      const [name, second, third] = node.arguments;
      const fields = second && ts.isStringLiteral(second) ? third : second;
      const literal = name && (ts.isTemplateExpression(name) ? name.head : ts.isStringLiteral(name) ? name : undefined);
      if (literal && fields) add(literal.text, fields);
    } else if (ts.isVariableDeclaration(node) && /Fields$/.test(node.name.getText()) && node.initializer)
      add(node.name.getText(), node.initializer);
    ts.forEachChild(node, visit);
  };
  for (const file of program.getSourceFiles()) if (file.fileName.startsWith(`${root}src/`)) visit(file);
  const things: Texts = {};
  for (const [index, exports] of Object.entries(indexes)) {
    const module = checker.getSymbolAtLocation(program.getSourceFile(`${root}src/${index}.ts`)!)!;
    for (const symbol of checker.getExportsOfModule(module)) {
      const { options: record } = ((exports as Record<string, unknown>)[symbol.name] ?? {}) as {
        options?: OptionRecord;
      };
      const own = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
      if (record) things[record.name] = firstSentence(textOf(own));
    }
  }
  return { options, things };
}

const typeOf = (field: OptionRecord["fields"][string]): Type => (field instanceof Option ? field.type : field);

/** Records within records, each once. */
function recordsWithin(records: readonly OptionRecord[], found = new Map<string, OptionRecord>()) {
  for (const record of records) {
    if (found.has(record.name)) continue;
    found.set(record.name, record);
    const visit = ({ form }: Type): void => {
      if (form.kind === "record") recordsWithin([form.options], found);
      else if (form.kind === "list") visit(form.item);
    };
    for (const field of Object.values(record.fields)) visit(typeOf(field));
  }
  return found;
}

const originalNames = Object.fromEntries(Object.entries(learningRateNames).map(([form, name]) => [name, form]));

/** What each option of each record means, and each thing under the key "". Throws for one that no JSDoc says anything of. */
function documentation(): { own: Record<string, Texts>; common: Texts } {
  const { options, things } = readSources();
  const everywhere = new Map<string, Set<string>>();
  for (const texts of Object.values(options))
    for (const [key, text] of Object.entries(texts))
      if (text) everywhere.set(key, (everywhere.get(key) ?? new Set()).add(text));
  const only = (key: string) => {
    const texts = [...(everywhere.get(key) ?? [])];
    return texts.length === 1 ? texts[0] : undefined;
  };
  const whole: Record<string, Texts> = {};
  const records = Object.values(families).flatMap((catalog) =>
    catalog.names.flatMap((name) => catalog.recordOf(name) ?? []),
  );
  for (const [name, { fields }] of recordsWithin(records)) {
    whole[name] = things[name] ? { "": things[name] } : {};
    for (const [key, field] of Object.entries(fields)) {
      if (typeOf(field).form.kind === "code") continue;
      const form = options[name.replace(/(LR|WD)$/, "")];
      const text = options[name]?.[key] || form?.[key] || form?.[originalNames[key]] || only(key);
      if (!text) throw new Error(`no documentation of ${name}.${key} was found`);
      whole[name][key] = text;
    }
  }
  const counts = new Map<string, Map<string, number>>();
  for (const texts of Object.values(whole))
    for (const [key, text] of Object.entries(texts)) {
      const of = counts.get(key) ?? new Map<string, number>();
      counts.set(key, of.set(text, (of.get(text) ?? 0) + 1));
    }
  const common: Texts = {};
  for (const [key, of] of counts) {
    const [[text, count]] = [...of].sort(([, a], [, b]) => b - a);
    if (key !== "" && count > 1) common[key] = text;
  }
  const own = Object.fromEntries(
    Object.entries(whole).map(([name, texts]) => [
      name,
      Object.fromEntries(Object.entries(texts).filter(([key, text]) => common[key] !== text)),
    ]),
  );
  return { own, common };
}

/** The text of src/train/config/documentation.json. */
export function documentationText(): string {
  const { own, common } = documentation();
  return `${JSON.stringify({ common, own }, null, 2)}\n`;
}

const head =
  "Generated by `npm run docs` (tools/option-docs.ts) from the JSDoc of functions, classes and options; not written by hand.";

/** The text of docs/options.md. */
export function optionsPage(): string {
  const { own, common } = documentation();
  const parts = Object.entries(families).map(([family, catalog]) => {
    const things = catalog.describe().map(({ name, options }) => {
      const rows = options.map(
        ({ key, type, required, fallback }) =>
          `| \`${toSnake(key)}\` | ${cell(type)} | ${required ? "required" : fallback === undefined ? "" : `\`${JSON.stringify(fallback)}\``} | ${cell(own[name][key] ?? common[key])} |\n`,
      );
      const table = rows.length > 0 ? `\n| key | type | default | meaning |\n|---|---|---|---|\n${rows.join("")}` : "";
      return `### ${name}\n\n${own[name][""]}\n${table}`;
    });
    return `## ${family}\n\n${things.join("\n")}`;
  });
  return `# Everything that a config may name\n\n${head} In code the keys are in camelCase. \`seedgrad list\` shows the same.\n\n${parts.join("\n")}`;
}
