// WebAssembly's text format of a module, by an independent disassembler.
import wabtModule from "wabt";

/** Made once: each has a memory of its own. */
let made: ReturnType<typeof wabtModule> | undefined;

export async function disassemble(bytes: Uint8Array): Promise<string> {
  made ??= wabtModule();
  const wabt = await made;
  const module = wabt.readWasm(bytes, {
    threads: true,
    simd: true,
    bulk_memory: true,
    sat_float_to_int: true,
    relaxed_simd: true,
  });
  const text = module.toText({});
  module.destroy();
  return text;
}
