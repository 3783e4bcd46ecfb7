// Writes what is generated from the sources: `npm run docs`.
import { writeFileSync } from "node:fs";
import { elsewhereText } from "./families.ts";
import { documentationText, optionsPage } from "./option-docs.ts";
import { layersPage, opsPage } from "./reference-docs.ts";
import { root } from "./sources.ts";

writeFileSync(`${root}src/tensor/elsewhere.ts`, elsewhereText());
writeFileSync(`${root}src/train/config/documentation.json`, documentationText());
writeFileSync(`${root}docs/options.md`, optionsPage());
writeFileSync(`${root}docs/ops.md`, opsPage());
writeFileSync(`${root}docs/layers.md`, layersPage());
