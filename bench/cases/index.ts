// All cases, in the order they are measured.
import type { Case } from "../harness.ts";
import { cases as barrier } from "./barrier.ts";
import { cases as checkpoint } from "./checkpoint.ts";
import { cases as compile } from "./compile.ts";
import { cases as elementwise } from "./elementwise.ts";
import { cases as families } from "./families.ts";
import { cases as indexed } from "./indexed.ts";
import { cases as matmul } from "./matmul.ts";
import { cases as probe } from "./probe.ts";
import { cases as random } from "./random.ts";
import { cases as reduce } from "./reduce.ts";
import { cases as size } from "./size.ts";
import { cases as start } from "./start.ts";
import { cases as training } from "./training.ts";

/** Cases under a heading of the reports. */
export interface Group {
  readonly title: string;
  readonly cases: readonly Case[];
}

export const groups: readonly Group[] = [
  { title: "What the core can do", cases: probe },
  { title: "Training steps", cases: training },
  { title: "Matrix products", cases: matmul },
  { title: "Elementwise", cases: elementwise },
  { title: "Reductions", cases: reduce },
  { title: "By index", cases: indexed },
  { title: "Random numbers", cases: random },
  { title: "Of each family", cases: families },
  { title: "Compiling and calling", cases: [...compile, ...barrier] },
  { title: "Files and start", cases: [...checkpoint, ...start] },
  { title: "What a page loads", cases: size },
];

export const allCases: readonly Case[] = groups.flatMap(({ cases }) => cases);
