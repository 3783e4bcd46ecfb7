"""An independent reader of safetensors, from the format's description: prints what a file holds as JSON."""
import json
import struct
import sys

with open(sys.argv[1], "rb") as file:
    data = file.read()
(length,) = struct.unpack("<Q", data[:8])
header = json.loads(data[8 : 8 + length].decode("utf-8"))
body = data[8 + length :]
codes = {"F32": "f", "I32": "i", "U32": "I", "BOOL": "?"}
out = {"metadata": header.pop("__metadata__", {}), "tensors": {}}
covered = 0
for name, entry in header.items():
    begin, end = entry["data_offsets"]
    assert (8 + length + begin) % struct.calcsize(codes[entry["dtype"]]) == 0, "unaligned"
    count = 1
    for extent in entry["shape"]:
        count *= extent
    values = struct.unpack("<%d%s" % (count, codes[entry["dtype"]]), body[begin:end])
    covered += end - begin
    out["tensors"][name] = {"dtype": entry["dtype"], "shape": entry["shape"], "values": list(values)}
assert covered == len(body), "bytes left over"
json.dump(out, sys.stdout)
