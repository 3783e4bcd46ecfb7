"""Reads a safetensors file with nothing but the format's description and prints what it holds as JSON: an independent check of the writer."""

import json
import struct
import sys

FORMATS = {"F32": 4, "I32": 4, "U32": 4, "BOOL": 1}


def unique(pairs):
    keys = [key for key, _ in pairs]
    assert len(keys) == len(set(keys)), "a key is named twice"
    return dict(pairs)


def read(path):
    with open(path, "rb") as file:
        whole = file.read()
    (length,) = struct.unpack("<Q", whole[:8])
    assert length <= 100_000_000 and 8 + length <= len(whole), "header length"
    text = whole[8 : 8 + length]
    assert text[:1] == b"{", "header start"
    header = json.loads(text.decode("utf-8"), object_pairs_hook=unique)
    body = whole[8 + length :]
    metadata = header.pop("__metadata__", {})
    assert all(isinstance(value, str) for value in metadata.values()), "metadata"
    tensors, covered = {}, []
    for name, entry in header.items():
        assert set(entry) == {"dtype", "shape", "data_offsets"}, name
        begin, end = entry["data_offsets"]
        width, count = FORMATS[entry["dtype"]], 1
        for extent in entry["shape"]:
            count *= extent
        assert 0 <= begin <= end <= len(body) and end - begin == count * width, name
        assert (8 + length + begin) % width == 0, "alignment of " + name
        covered.append((begin, end))
        kind = {"F32": "I", "I32": "i", "U32": "I", "BOOL": "B"}[entry["dtype"]]
        tensors[name] = {
            "dtype": entry["dtype"],
            "shape": entry["shape"],
            # F32 elements as their bits.
            "elements": list(struct.unpack("<%d%s" % (count, kind), body[begin:end])),
        }
    at = 0
    for begin, end in sorted(covered):
        assert begin == at, "holes or overlaps"
        at = end
    assert at == len(body), "bytes after the last tensor"
    return {"metadata": metadata, "tensors": tensors, "header_padded_to_8": length % 8 == 0}


print(json.dumps(read(sys.argv[1])))
