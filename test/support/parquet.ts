// Parquet files of one column, byte by byte: for pages that no writer makes.

/** A count, 7 bits a byte. */
export function varint(value: number | bigint): number[] {
  const bytes: number[] = [];
  for (let rest = BigInt(value); ; rest >>= 7n) {
    if (rest < 128n) return [...bytes, Number(rest)];
    bytes.push(Number(rest % 128n) + 128);
  }
}
/** An integer of either sign. */
export const zigzag = (value: number): number[] => varint(value < 0 ? -2 * value - 1 : 2 * value);

type Field = readonly [id: number, type: number, bytes: readonly number[]];
const integer = (id: number, value: number, type = 5): Field => [id, type, zigzag(value)];
const text = (id: number, value: string): Field => [id, 8, [...varint(value.length), ...Buffer.from(value)]];
const list = (id: number, type: number, ...items: (readonly number[])[]): Field => [
  id,
  9,
  [16 * items.length + type, ...items.flat()],
];
const struct = (...fields: readonly Field[]): number[] => [
  ...fields.flatMap(([id, type, bytes], i) => [16 * (id - (fields[i - 1]?.[0] ?? 0)) + type, ...bytes]),
  0,
];

const encodings = { PLAIN: 0, RLE: 3, DELTA_BINARY_PACKED: 5, DELTA_BYTE_ARRAY: 7, RLE_DICTIONARY: 8 };
type Encoding = keyof typeof encodings;

function page(type: number, size: number, bytes: readonly number[], ...header: readonly Field[]): number[] {
  const field = [5, 0, 7, 8][type];
  return [
    ...struct(integer(1, type), integer(2, size), integer(3, bytes.length), [field, 12, struct(...header)]),
    ...bytes,
  ];
}
/** A page of the format's first version, without levels; `size`: of its bytes as they are unpacked. */
export const firstPage = (count: number, encoding: Encoding, bytes: readonly number[], size = bytes.length) =>
  page(0, size, bytes, integer(1, count), integer(2, encodings[encoding]), integer(3, 3), integer(4, 3));
/** A page of the second. */
export const secondPage = (count: number, encoding: Encoding, bytes: readonly number[], nulls = 0) =>
  page(
    3,
    bytes.length,
    bytes,
    ...[integer(1, count), integer(2, nulls), integer(3, count), integer(4, encodings[encoding])],
    ...[integer(5, 0), integer(6, 0)],
  );
export const dictionaryPage = (count: number, bytes: readonly number[]) =>
  page(2, bytes.length, bytes, integer(1, count), integer(2, 0));

export interface ColumnFile {
  readonly type: "BOOLEAN" | "INT32" | "BYTE_ARRAY";
  readonly rows: number;
  readonly isSnappy?: boolean;
  /** How often the column is there, by one name. */
  readonly times?: number;
}

/** A file of a column `a`, of which no value is missing, in one group of rows. */
export function columnFile({ type, rows, isSnappy, times = 1 }: ColumnFile, ...pages: readonly number[][]): Buffer {
  const bytes = pages.flat();
  const number = { BOOLEAN: 0, INT32: 1, BYTE_ARRAY: 6 }[type];
  const chunk = struct(
    ...[integer(1, number), list(2, 5, zigzag(0)), list(3, 8, [1, 97]), integer(4, isSnappy ? 1 : 0)],
    ...[rows, bytes.length, bytes.length].map((value, i) => integer(5 + i, value, 6)),
    integer(9, 4, 6),
  );
  const columns = Array.from({ length: times }, () => struct(integer(2, 4, 6), [3, 12, chunk]));
  const leaf = struct(integer(1, number), integer(3, 0), text(4, "a"));
  const root = struct(text(4, "root"), integer(5, times));
  const footer = struct(
    integer(1, 1),
    list(2, 12, root, ...columns.map(() => leaf)),
    integer(3, rows, 6),
    list(4, 12, struct(list(1, 12, ...columns), integer(2, bytes.length, 6), integer(3, rows, 6))),
  );
  const size = Buffer.alloc(4);
  size.writeUInt32LE(footer.length);
  return Buffer.concat([Buffer.from("PAR1"), Buffer.from(bytes), Buffer.from(footer), size, Buffer.from("PAR1")]);
}
