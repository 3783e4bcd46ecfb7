// The schema as JSON Schema in YAML's form, for editors: snake_case keys, and a choice of class as a map with one key.

import * as z from "zod";
import { checkNone } from "../../core/arguments.ts";
import { toSnake } from "./form.ts";
import { configSchema } from "./schema.ts";

type JsonSchema = { [key: string]: unknown };

const map = (record: JsonSchema, change: (key: string, value: unknown) => [string, unknown]): JsonSchema =>
  Object.fromEntries(Object.entries(record).map(([key, value]) => change(key, value)));

/** JSON Schema (2020-12) of a config file. Two names in one choice are left to `fit` to refuse: editors offer nothing where a map may not grow. */
export function configJsonSchema(): JsonSchema {
  checkNone("configJsonSchema", arguments);
  const schema = z.toJSONSchema(configSchema, {
    io: "input",
    unrepresentable: "any",
    override: ({ jsonSchema }) => {
      const node = jsonSchema as JsonSchema;
      if (node.id === "seed") {
        for (const key of Object.keys(node)) delete node[key];
        Object.assign(node, {
          type: "integer",
          minimum: 0,
          exclusiveMaximum: 2 ** 64,
          description:
            "In [0, 2^64). A run without one draws it from the operating system; a loader without one follows the run's.",
        });
      }
    },
  }) as JsonSchema;
  const { $schema, ...rest } = schema;
  const form = yamlForm(rest) as { properties: JsonSchema; $defs?: JsonSchema } & JsonSchema;
  const { trainer, ...others } = form.properties;
  const one = { $ref: "#/$defs/trainer" };
  const phases = { type: "array", minItems: 1, items: one, description: "Phases, run in order." };
  return {
    $schema,
    title: "seedgrad run",
    ...form,
    properties: { ...others, trainer: { anyOf: [one, phases] } },
    $defs: { ...form.$defs, trainer },
  };
}

/** Renames properties, and turns a union of `{ class: "X", … }` into one map with a key of its names, or the bare name where no options are needed. */
function yamlForm(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(yamlForm);
  if (typeof node !== "object" || node === null) return node;
  const { properties, required, default: fallback, ...rest } = node as JsonSchema;
  const members = (rest.oneOf ?? rest.anyOf) as readonly JsonSchema[] | undefined;
  if (members?.every((member) => nameOf(member) !== undefined)) return choice(members);
  const out = map(rest, (key, value) => [key, yamlForm(value)]);
  if (fallback !== undefined && typeof fallback !== "object") out.default = fallback;
  if (!properties) return required ? { ...out, required } : out;
  const { class: _name, ...others } = properties as JsonSchema;
  const inner: JsonSchema = {
    ...out,
    properties: map(others, (key, value) => [toSnake(key), yamlForm(value)]),
  };
  const needed = requiredOf(node as JsonSchema);
  const plain = needed.filter((key) => key !== "learning_rate");
  const renamed = inner.properties as JsonSchema;
  if (plain.length < needed.length) {
    renamed.lr = { ...(renamed.learning_rate as JsonSchema), description: "learning_rate" };
    inner.oneOf = [{ required: ["learning_rate"] }, { required: ["lr"] }];
  }
  if (plain.length > 0) inner.required = plain;
  return inner;
}

const nameOf = (member: JsonSchema): string | undefined =>
  (member.properties as { class?: { const?: string } } | undefined)?.class?.const;

const requiredOf = ({ required }: JsonSchema): string[] =>
  ((required as string[] | undefined) ?? []).filter((key) => key !== "class").map(toSnake);

function choice(members: readonly JsonSchema[]): JsonSchema {
  const bare = members.filter((member) => requiredOf(member).length === 0).map(nameOf);
  const properties = Object.fromEntries(
    members.map((member) => {
      const options = yamlForm(member) as JsonSchema;
      return [nameOf(member)!, requiredOf(member).length === 0 ? { anyOf: [options, { type: "null" }] } : options];
    }),
  );
  const one = {
    title: `one of ${Object.keys(properties).join(", ")}`,
    type: "object",
    properties,
    minProperties: 1,
    additionalProperties: false,
  };
  return bare.length === 0 ? one : { anyOf: [one, { enum: bare }] };
}
