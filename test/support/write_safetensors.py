"""Writes a safetensors file with nothing but the format's description: what the reader is given from outside. argv[1]: the path."""

import json
import struct
import sys

FORMATS = {"F32": "f", "F16": "e", "I8": "b", "U8": "B", "I16": "h", "U16": "H", "I32": "i", "U32": "I", "BOOL": "B"}
TENSORS = {
    # The names and shapes of a PyTorch Sequential(Linear(4, 8), ReLU(), Dropout(), Linear(8, 2)).
    "0.weight": ("F16", [8, 4], [(i % 7) / 4 - 1 for i in range(32)]),
    "0.bias": ("F32", [8], [i / 3 for i in range(8)]),
    "3.weight": ("BF16", [2, 8], [i / 8 - 1 for i in range(16)]),
    "3.bias": ("F32", [2], [0.5, -0.25]),
}
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
