// npm run bench. `--help` lists the options.
import { bench } from "./bench.ts";

process.exit(await bench(process.argv.slice(2)));
