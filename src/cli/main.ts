#!/usr/bin/env node
// The process that is the command line.
import { main } from "./program.ts";

await main(process.argv.slice(2));
