#!/usr/bin/env python3
"""Convolutions, pooling and resampling in PyTorch: writes images.json, which test/golden/images.test.ts compares. Inputs and weights are small integers, so
that every sum of products is exact, whatever its order. Run with a Python that has torch."""
import json
import math
import os
import re

import torch
from torch import nn
from torch.nn import functional as F

torch.set_num_threads(1)


def scattered(shape, below, least):
    index = torch.arange(math.prod(shape))
    return (index * 7919 % 104729 % below + least).to(torch.float32).reshape(shape)


def snake(name):
    return re.sub(r"(?<=[a-z])([A-Z])", lambda m: "_" + m.group(1).lower(), name)


def numbers(x):
    return [int(v) if v == int(v) else float(f"{v:.7g}") for v in x.reshape(-1).tolist()]


keys = {"countPadding": "count_include_pad"}
words = {"alignCorners": "align_corners", "scaleFactor": "scale_factor", "outputPadding": "output_padding", "paddingMode": "padding_mode"}
functions = {
    "im2col": lambda x, size, **o: F.unfold(x, size, **o),
    "col2im": lambda x, output, size, **o: F.fold(x, output, size, **o),
    "pixelShuffle": F.pixel_shuffle,
    "pixelUnshuffle": F.pixel_unshuffle,
    "interpolate": lambda x, **o: F.interpolate(x, **o),
    "affineGrid": lambda maps, size, **o: F.affine_grid(maps, [maps.shape[0], 1, *size], **o),
    "globalAvgPool": lambda x: x.flatten(2).mean(2),
    "globalMaxPool": lambda x: x.flatten(2).amax(2),
}


def function_of(name):
    return functions.get(name) or getattr(F, re.sub(r"_?(\d)d$", r"\1d", snake(name)))


def options_of(options):
    translated = {words.get(keys.get(k, k), keys.get(k, k)): v for k, v in options.items()}
    if translated.get("padding") == "valid":
        translated["padding"] = 0
    return translated


functional = []
for rank, extents in ((1, [11]), (2, [6, 5]), (3, [5, 4, 3])):
    name, lead = f"conv{rank}d", [2] if rank < 2 else [1]
    size = [3, 2, 2][:rank]
    for options in (
        {},
        {"stride": 2, "padding": 1},
        {"padding": "same", "dilation": 2 if rank < 3 else 1},
        {"padding": "valid", "stride": [2, 1, 2][:rank], "groups": 2},
        {"dilation": [2, 1, 1][:rank], "padding": [0, 1, 2][:rank], "groups": 4},
        {"stride": size, "groups": 4},
    ):
        groups = options.get("groups", 1)
        functional.append((name, [lead + [4] + extents, [8 if groups > 1 else 3, 4 // groups] + size, [8 if groups > 1 else 3]], [], options))
    for options in (
        {},
        {"stride": 2, "padding": 1, "outputPadding": 1},
        {"stride": [3, 1, 2][:rank], "dilation": [1, 2, 1][:rank], "groups": 2},
    ):
        groups = options.get("groups", 1)
        small = [min(4, extent) for extent in extents]
        functional.append((f"convTranspose{rank}d", [lead + [4] + small, [4, 4 // groups] + size, [4]], [], options))
    shape = [lead + [2] + extents]
    functional += [
        (f"maxPool{rank}d", shape, [size], {}),
        (f"maxPool{rank}d", shape, [2], {"stride": 1, "padding": 1, "dilation": 2 if rank < 3 else 1}),
        (f"avgPool{rank}d", shape, [size], {}),
        (f"avgPool{rank}d", shape, [3], {"stride": 2, "padding": 1}),
        (f"avgPool{rank}d", shape, [size], {"stride": 1, "padding": [1, 1, 0][:rank], "countPadding": False}),
        (f"adaptiveAvgPool{rank}d", shape, [[3, 4, 2][:rank]], {}),
        (f"adaptiveAvgPool{rank}d", shape, [1], {}),
        (f"adaptiveMaxPool{rank}d", shape, [[3, 4, 2][:rank]], {}),
        ("globalAvgPool", shape, [], {}),
    ]
    mode = ["linear", "bilinear", "trilinear"][rank - 1]
    sizes = [16, [9, 4], [4, 5, 4]][rank - 1]
    functional += [
        ("interpolate", shape, [], {"scaleFactor": 2}),
        ("interpolate", shape, [], {"size": sizes}),
        ("interpolate", shape, [], {"size": sizes, "mode": mode}),
        ("interpolate", shape, [], {"size": sizes, "mode": mode, "alignCorners": True}),
        ("interpolate", shape, [], {"scaleFactor": 1.5, "mode": mode}),
        ("interpolate", shape, [], {"scaleFactor": 0.75}),
    ]
functional += [
    ("im2col", [[2, 2, 5, 6]], [[3, 2]], {"stride": [1, 2], "padding": [1, 0], "dilation": [2, 1]}),
    ("im2col", [[1, 2, 4, 6]], [2], {"stride": 2}),
    ("col2im", [[2, 12, 10]], [[5, 6], [2, 3]], {"stride": [1, 2], "padding": [1, 0], "dilation": [2, 1]}),
    ("col2im", [[1, 8, 12]], [[4, 5], 2], {}),
    ("pixelShuffle", [[2, 8, 3, 2]], [2], {}),
    ("gridSample", [[2, 2, 4, 5], [2, 3, 4, 2]], [], {}),
    ("gridSample", [[2, 2, 4, 5], [2, 3, 4, 2]], [], {"alignCorners": True}),
    ("gridSample", [[2, 2, 5, 4], [2, 3, 4, 2]], [], {"paddingMode": "border"}),
    ("gridSample", [[2, 2, 4, 5], [2, 3, 4, 2]], [], {"mode": "nearest"}),
    ("affineGrid", [[2, 2, 3]], [[3, 4]], {}),
    ("affineGrid", [[2, 2, 3]], [[3, 5]], {"alignCorners": True}),
    ("affineGrid", [[2, 2, 3]], [[1, 3]], {"alignCorners": True}),
    ("interpolate", [[2, 2, 3, 4]], [], {"scaleFactor": [1.3, 1.5], "mode": "bilinear"}),
    ("pixelUnshuffle", [[2, 2, 4, 6]], [2], {}),
]

layers = [
    ("conv1d", [2, 4, 7], [4, 6, 3], {"padding": "same", "groups": 2}),
    ("conv2d", [2, 3, 5, 6], [3, 4, [3, 2]], {"stride": [2, 1], "padding": [1, 0], "bias": False}),
    ("conv3d", [1, 2, 4, 3, 5], [2, 3, 2], {"dilation": [2, 1, 1]}),
    ("convTranspose1d", [2, 4, 5], [4, 2, 3], {"stride": 2, "groups": 2}),
    ("convTranspose2d", [1, 2, 3, 4], [2, 3, [2, 3]], {"stride": 2, "padding": 1, "outputPadding": [1, 0]}),
    ("convTranspose3d", [1, 2, 2, 3, 2], [2, 1, 2], {"bias": False}),
    ("maxPool1d", [2, 2, 7], [2], {}),
    ("maxPool2d", [2, 2, 7, 6], [[3, 2]], {"stride": 2, "padding": [1, 0]}),
    ("maxPool3d", [1, 2, 4, 5, 4], [2], {}),
    ("avgPool1d", [2, 2, 8], [4], {}),
    ("avgPool2d", [2, 2, 7, 6], [2], {"stride": 3, "padding": 1, "countPadding": False}),
    ("avgPool3d", [1, 2, 4, 4, 4], [2], {"stride": 1}),
    ("adaptiveAvgPool1d", [2, 2, 7], [3], {}),
    ("adaptiveAvgPool2d", [2, 2, 5, 6], [[2, 4]], {}),
    ("adaptiveAvgPool3d", [1, 2, 4, 5, 4], [2], {}),
    ("adaptiveMaxPool1d", [2, 2, 7], [3], {}),
    ("adaptiveMaxPool2d", [2, 2, 5, 6], [[2, 4]], {}),
    ("adaptiveMaxPool3d", [1, 2, 4, 5, 4], [2], {}),
    ("upsample", [1, 2, 3, 4], [], {"scaleFactor": 2, "mode": "bilinear"}),
    ("pixelShuffle", [1, 8, 2, 3], [2], {}),
    ("pixelUnshuffle", [1, 2, 4, 6], [2], {}),
    ("unfold", [1, 2, 4, 5], [2], {"padding": 1}),
    ("fold", [1, 8, 12], [[4, 5], 2], {}),
]


def run(apply, inputs):
    y = apply(*inputs)
    (y * scattered(y.shape, 13, 1)).sum().backward()
    return {"shape": list(y.shape), "value": numbers(y), "gradients": [numbers(x.grad) for x in inputs]}


golden = {"torch": torch.__version__, "functions": [], "layers": []}
for name, shapes, args, options in functional:
    inputs = [scattered(shape, 7 + 2 * i, -3).requires_grad_() for i, shape in enumerate(shapes)]
    apply = function_of(name)
    found = run(lambda *given: apply(*given, *args, **options_of(options)), inputs)
    golden["functions"].append({"name": name, "shapes": shapes, "arguments": args, "options": options, **found})
for name, shape, args, options in layers:
    layer = getattr(nn, name[0].upper() + name[1:])(*args, **options_of(options))
    with torch.no_grad():
        for i, parameter in enumerate(layer.parameters()):
            parameter.copy_(scattered(parameter.shape, 9 + 2 * i, -3))
    inputs = [scattered(shape, 7, -3).requires_grad_()]
    golden["layers"].append({"name": name, "shapes": [shape], "arguments": args, "options": options, **run(layer, inputs)})
path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "images.json")
with open(path, "w") as file:
    json.dump(golden, file, separators=(",", ":"))
print("torch", torch.__version__, len(golden["functions"]), "functions", len(golden["layers"]), "layers", os.path.getsize(path), "bytes")
