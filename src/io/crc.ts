// Checks of files' records against damage by accident. What a run is proved by are the SHA-256 of canonical.ts.

/** What each byte adds, of a polynomial whose lowest power comes first. */
const tableOf = (polynomial: number): Uint32Array =>
  Uint32Array.from({ length: 256 }, (_, byte) => {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ polynomial : crc >>> 1;
    return crc >>> 0;
  });

function crcOf(table: Uint32Array, bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = table[(crc ^ byte) & 0xff] ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}

const castagnoli = tableOf(0x82f63b78);
const iso = tableOf(0xedb88320);

/** CRC-32C (Castagnoli) of bytes, u32; of the text "123456789" it is e3069283. */
export const crc32c = (bytes: Uint8Array): number => crcOf(castagnoli, bytes);

/** CRC-32 (ISO 3309) of bytes, as zip archives and PNG images have it; of the text "123456789" it is cbf43926. */
export const crc32 = (bytes: Uint8Array): number => crcOf(iso, bytes);
