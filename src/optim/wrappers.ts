// The optimizers around another that a config may name, with their makers.
export { Lookahead, type LookaheadOptions, lookahead } from "./lookahead.ts";
export { SAM, type SAMOptions, sam } from "./sam.ts";
