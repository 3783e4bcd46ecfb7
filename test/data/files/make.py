"""Makes the files beside it, by the formats' own tools: python3 make.py, with numpy 2.4, pyarrow 25 and pillow 12.3."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

grid = np.arange(12).reshape(4, 3) / 8
np.save("float64.npy", grid)
np.save("fortran.npy", np.asfortranarray(grid.astype("<f4").reshape(2, 2, 3)))
np.save("big.npy", grid.astype(">f4"))
np.save("half.npy", grid.astype("<f2"))
np.save("wide.npy", np.array([1, -2, 2**31 - 1, 2**31], dtype="<i8"))
np.save("flags.npy", np.array([True, False, True, True]))
np.save("scalar.npy", np.float32(2))
np.save("record.npy", np.array([(1, 2.0)], dtype=[("a", "<i4"), ("b", "<f4")]))
arrays = {"x_train": np.arange(16, dtype="u1").reshape(4, 2, 2), "y_train": np.array([0, 1, 1, 0], dtype="<i8")}
np.savez("stored.npz", **arrays, weights=np.array([0.5, 1.5, 2.5, 3.5]))
np.savez_compressed("deflated.npz", **arrays)

table = pa.table(
    {
        "length": pa.array([5.1, 4.9, None, 6.25, 7.0, 5.5], pa.float64()),
        "width": pa.array([3, 2, 3, None, 1, 2], pa.int32()),
        "wide": pa.array([1, 2, 3, 4, 5, 2**40], pa.int64()),
        "colour": pa.array(["red", "green", "red", None, "blue", "green"]),
        "flag": pa.array([True, False, True, True, False, False]),
        "kind": pa.array(["a", "b", "a", "b", "a", "b"]),
        "list": pa.array([[1], [2], [], None, [3], [4]]),
    }
)
pq.write_table(table, "table.parquet", row_group_size=4)
pq.write_table(table.select(["length"]), "zstd.parquet", compression="zstd")

# 3 × 2 pixels: red, green, blue; white, grey 128, black.
pixels = [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255), (128, 128, 128), (0, 0, 0)]
rgb = Image.new("RGB", (3, 2))
rgb.putdata(pixels)
rgb.save("rgb.png")
rgb.quantize(8).save("palette.png")
rgb.convert("RGBA").save("alpha.png")
grey = Image.new("L", (3, 2))
grey.putdata([0, 51, 102, 153, 204, 255])
grey.save("grey.png")
Image.fromarray(np.arange(6, dtype="<u2").reshape(2, 3) * 257 * 51).save("deep.png")
print("rgb as grey:", list(rgb.convert("L").getdata()))
