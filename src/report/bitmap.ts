// A grey picture as a Windows bitmap (BITMAPINFOHEADER, 8 bits a pixel by a palette): every browser shows it, and it takes neither compression nor checksums.

const headers = 14 + 40;
const palette = 4 * 256;

/** The file of `width` · `height` pixels, row by row from the top, 0 black and 255 white. */
export function bitmap(pixels: Uint8Array, width: number, height: number): Uint8Array {
  // A row's bytes are a multiple of 4.
  const stride = Math.ceil(width / 4) * 4;
  const start = headers + palette;
  const bytes = new Uint8Array(start + stride * height);
  const view = new DataView(bytes.buffer);
  bytes.set([0x42, 0x4d]);
  const words = { 2: bytes.length, 10: start, 14: 40, 18: width, 22: height, 34: stride * height, 46: 256 };
  for (const [at, word] of Object.entries(words)) view.setUint32(Number(at), word, true);
  view.setUint16(26, 1, true);
  view.setUint16(28, 8, true);
  for (let grey = 0; grey < 256; grey++) bytes.fill(grey, headers + 4 * grey, headers + 4 * grey + 3);
  // Rows come from the bottom up.
  for (let row = 0; row < height; row++)
    bytes.set(pixels.subarray(row * width, (row + 1) * width), start + (height - 1 - row) * stride);
  return bytes;
}
