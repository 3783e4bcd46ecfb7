"""Writes a safetensors file with nothing but the format's description: what the reader is given from outside. argv[1]: the path."""

import json
import random
import struct
import sys

FORMATS = {"F64": "d", "F32": "f", "F16": "e", "I64": "q", "I32": "i", "I16": "h", "I8": "b",
           "U64": "Q", "U32": "I", "U16": "H", "U8": "B", "BOOL": "B"}
TENSORS = {
    # The names and shapes of a PyTorch Sequential(Linear(4, 8), ReLU(), Dropout(), Linear(8, 2)).
    "0.weight": ("F16", [8, 4], [(i % 7) / 4 - 1 for i in range(32)]),
    "0.bias": ("F32", [8], [i / 3 for i in range(8)]),
    "3.weight": ("BF16", [2, 8], [i / 8 - 1 for i in range(16)]),
    "3.bias": ("F64", [2], [0.1, -0.25]),
}
random.seed(1)
# Doubles that float32 holds, lies between, has a tie for, underflows to, and just reaches.
DOUBLES = [0.1, -0.0, 1 + 2**-24, 1 + 3 * 2**-24, 2**-149, 2**-150, 1.5 * 2**-150, 1e-300, -3.4028235677973362e38, float("-inf")]
DOUBLES += [random.uniform(-1, 1) * 2.0 ** random.randint(-155, 127) for _ in range(500)]
KINDS = {
    "f16": ("F16", [6], [0.0, -0.0, 65504.0, 2**-24, -(2**-14), float("inf")]),
    "bf16": ("BF16", [3], [1.0, -(2.0**127), 2.0**-133]),
    "i8": ("I8", [2], [-128, 127]),
    "u8": ("U8", [2], [0, 255]),
    "i16": ("I16", [2], [-32768, 32767]),
    "u16": ("U16", [2], [0, 65535]),
    "i32": ("I32", [2], [-(2**31), 2**31 - 1]),
    "u32": ("U32", [1], [2**32 - 1]),
    "bool": ("BOOL", [3], [1, 0, 1]),
    "i64": ("I64", [3], [-(2**31), 2**31 - 1, -1]),
    "u64": ("U64", [2], [0, 2**31 - 1]),
    "f64": ("F64", [len(DOUBLES)], DOUBLES),
    "f64 rounded here": ("F32", [len(DOUBLES)], DOUBLES),
}


def pack(dtype, values):
    if dtype == "BF16":
        # The upper half of a float32, little-endian; the values above have nothing in the lower one.
        return b"".join(struct.pack("<f", value)[2:] for value in values)
    return struct.pack("<%d%s" % (len(values), FORMATS[dtype]), *values)


def write(path, tensors):
    header, body = {"__metadata__": {"format": "pt"}}, b""
    for name, (dtype, shape, values) in tensors.items():
        data = pack(dtype, values)
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [len(body), len(body) + len(data)]}
        body += data
    text = json.dumps(header).encode()
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + body)


write(sys.argv[1], KINDS if sys.argv[2] == "kinds" else TENSORS)
