#!/usr/bin/env python3
"""Writes movement.json for test/golden/movement.test.ts: NumPy's indexing of random shapes by random indices, and PyTorch's movement ops, values and gradients.

Inputs are wave(n, scale, shift), the formula of make_torch.py; the gradient is that of Σ wave · result. The array that is indexed counts its elements.
"""
import json
import math
import os
import random

import numpy as np
import torch

torch.set_num_threads(1)
f = torch.nn.functional
ratio = 0.6180339887498949
random.seed(13)


def wave(shape, scale=4.0, shift=0):
    value = (torch.arange(math.prod(shape), dtype=torch.float64) + shift) * ratio
    return ((value - value.floor() - 0.5) * scale).to(torch.float32).reshape(shape)


def some_range(extent):
    def end():
        return random.choice([None, random.randint(-extent - 2, extent + 2)])

    return {"start": end(), "stop": end(), "step": random.choice([None, 1, 2, 3, -1, -2])}


def index_case():
    """A shape, indices as JSON and as NumPy takes them, and what they give."""
    shape = [random.randint(1, 4) for _ in range(random.randint(0, 5))]
    axes = list(range(len(shape)))
    points = random.choice([[], [2], [3, 1], [2, 3], [0]])
    items, plain, left = [], [], len(axes)
    dots = random.random() < 0.4
    for axis in axes:
        if random.random() < 0.2:
            items.append(None)
            plain.append(None)
        if dots and random.random() < 0.3:
            dots = False
            skipped = random.randint(0, len(axes) - axis)
            items.append("...")
            plain.append(Ellipsis)
            rest = axes[axis + skipped:]
        else:
            rest = None
        for each in rest if rest is not None else [axis]:
            extent = shape[each]
            kind = random.random()
            if kind < 0.25:
                value = random.randint(-extent, extent - 1)
                items.append(value)
                plain.append(value)
            elif kind < 0.6:
                made = some_range(extent)
                items.append(made)
                plain.append(slice(made["start"], made["stop"], made["step"]))
            else:
                own = random.choice([points, [1] * len(points), points[-1:]])
                values = np.array([random.randint(-extent, extent - 1) for _ in range(math.prod(own))], dtype=int)
                items.append({"shape": own, "data": values.tolist()})
                plain.append(values.reshape(own))
        if rest is not None:
            break
    if random.random() < 0.3:
        drop = random.randint(0, len(items))
        items, plain = items[:drop], plain[:drop]
    x = np.arange(math.prod(shape)).reshape(shape)
    out = x[tuple(plain)]
    return {"shape": shape, "indices": items, "result": list(out.shape), "data": out.reshape(-1).tolist()}


cases = []
while len(cases) < 160:
    made = index_case()
    if len(made["data"]) <= 60:
        cases.append(made)

A, B, S = [3, 4, 5], [4, 6], [5, 5]
picks = torch.tensor([[(i * 7 + j * 3) % 4 for j in range(6)] for i in range(2)])
ops = {
    "squeeze": ([2, 1, 3, 1], lambda x: x.squeeze()),
    "squeeze of one": ([2, 1, 3, 1], lambda x: x.squeeze(-1)),
    "expandDims": (A, lambda x: x.unsqueeze(1).unsqueeze(-1)),
    "moveAxis": (A, lambda x: x.movedim([0, 2], [2, 1])),
    "flatten": (A, lambda x: x.flatten(1)),
    "split": ([7, 3], lambda x: torch.cat([p * (i + 1) for i, p in enumerate(x.split([2, 0, 4, 1]))])),
    "chunk": ([3, 7], lambda x: torch.cat([p * (i + 1) for i, p in enumerate(x.chunk(3, 1))], 1)),
    "unstack": (A, lambda x: torch.stack([p * (i + 1) for i, p in enumerate(x.unbind(1))])),
    "tile": (B, lambda x: x.repeat(2, 3, 2)),
    "repeatInterleave": (A, lambda x: x.repeat_interleave(3, 1)),
    "repeatInterleave by counts": (A, lambda x: x.repeat_interleave(torch.tensor([2, 0, 1, 3]), 1)),
    "repeatInterleave of all": (B, lambda x: x.repeat_interleave(2)),
    "roll": (A, lambda x: x.roll((2, -6), (0, 2))),
    "roll of all": (A, lambda x: x.roll(-7)),
    "rot90": (A, lambda x: x.rot90(1, (2, 0))),
    "rot90 backwards": (A, lambda x: x.rot90(-1, (1, 2))),
    "triu": (A, lambda x: x.triu(1)),
    "tril": (A, lambda x: x.tril(-2)),
    "diag of a vector": ([4], lambda x: x.diag(-2)),
    "diag of a matrix": (B, lambda x: x.diag(2)),
    "diagonal": (A, lambda x: x.diagonal(-1, 2, 0)),
    "trace": (S, lambda x: x.trace()),
    "pad reflect": ([2, 4, 5], lambda x: f.pad(x[None], (3, 1, 0, 2), "reflect")[0]),
    "pad replicate": ([2, 4, 5], lambda x: f.pad(x[None], (3, 1, 0, 2), "replicate")[0]),
    "pad circular": ([2, 4, 5], lambda x: f.pad(x[None], (3, 1, 0, 4), "circular")[0]),
    "takeAlongAxis": (B, lambda x: x.take_along_dim(picks, 0)),
    "at": (B, lambda x: x[1:, [0, 5, 0]] * 2 + x[[3, 3, 1]][:, [1, 1, 2]]),
}


def run(shape, apply):
    x = wave(shape, shift=3).requires_grad_()
    out = apply(x)
    out.backward(wave(list(out.shape), 2.0, 29))
    rounded = lambda t: [float(f"{float(v):.9g}") for v in t.detach().reshape(-1)]
    return {"shape": list(shape), "result": list(out.shape), "value": rounded(out), "gradient": rounded(x.grad)}


spaces = {
    "linspace": [float(np.float32(v)) for v in np.linspace(-1.3, 7.1, 23)],
    "logspace": [float(np.float32(v)) for v in np.logspace(-3, 2, 11)],
    "logspace of 2": [float(np.float32(v)) for v in np.logspace(-4, 5, 10, base=2)],
}
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "movement.json"), "w") as file:
    written = {"torch": torch.__version__, "indexing": cases, "ops": {k: run(*v) for k, v in ops.items()}, "spaces": spaces}
    json.dump(written, file, separators=(",", ":"))
