// The schema as JSON Schema in YAML's form, for editors: snake_case keys, and a choice of class as a map with one key.
import { z } from "zod";
import { toSnake } from "./form.ts";
import { configSchema } from "./schema.ts";

type JsonSchema = { [key: string]: unknown };

const map = (record: JsonSchema, change: (key: string, value: unknown) => [string, unknown]): JsonSchema =>
  Object.fromEntries(Object.entries(record).map(([key, value]) => change(key, value)));

/** JSON Schema (2020-12) of a config file. */
export function configJsonSchema(): JsonSchema {
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
          description: "In [0, 2^64). Left out or null: one is drawn from the operating system.",
        });
      }
    },
  }) as JsonSchema;
  const { $schema, ...rest } = schema;
  return { $schema, title: "seedgrad run", ...(yamlForm(rest) as JsonSchema) };
}

/** Renames properties, and turns `{ class: "X", … }` into `{ X: { … } }`. */
function yamlForm(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(yamlForm);
  if (typeof node !== "object" || node === null) return node;
  const { properties, required, default: fallback, ...rest } = node as JsonSchema;
  const out = map(rest, (key, value) => [key, yamlForm(value)]);
  if (fallback !== undefined && typeof fallback !== "object") out.default = fallback;
  if (!properties) return required ? { ...out, required } : out;
  const { class: name, ...others } = properties as { class?: { const: string } } & JsonSchema;
  const inner: JsonSchema = {
    ...out,
    properties: map(others, (key, value) => [toSnake(key), yamlForm(value)]),
  };
  const needed = ((required as string[] | undefined) ?? []).filter((key) => key !== "class").map(toSnake);
  const plain = needed.filter((key) => key !== "learning_rate");
  const renamed = inner.properties as JsonSchema;
  if (plain.length < needed.length) {
    renamed.lr = { ...(renamed.learning_rate as JsonSchema), description: "learning_rate" };
    inner.oneOf = [{ required: ["learning_rate"] }, { required: ["lr"] }];
  }
  if (plain.length > 0) inner.required = plain;
  if (name === undefined) return inner;
  const options = needed.length === 0 ? { anyOf: [inner, { type: "null" }] } : inner;
  return { type: "object", properties: { [name.const]: options }, required: [name.const], additionalProperties: false };
}
