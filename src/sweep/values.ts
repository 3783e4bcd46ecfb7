// Parts of a parsed YAML file.
import { isRecord } from "../core/arguments.ts";
import type { Path, YamlSource } from "../train/config/yaml.ts";

/** What the file has at a path, with its places in the file. */
export function valueSource(source: YamlSource, path: Path): YamlSource {
  const value = path.reduce<unknown>(
    (at, part) => (isRecord(at) || Array.isArray(at) ? (at as Record<string | number, unknown>)[part] : undefined),
    source.value,
  );
  return {
    value,
    keyPosition: (at) => source.keyPosition([...path, ...at]),
    valuePosition: (at) => source.valuePosition([...path, ...at]),
    plainText: (at) => source.plainText([...path, ...at]),
  };
}
