// For every test file: it finds all that few programs need. How a program gets it, test/engines/modules.test.ts shows. Imported when a file's tests begin, so that a file may replace modules.
import { beforeAll } from "vitest";
import { importAll } from "./imported.ts";

beforeAll(importAll);
