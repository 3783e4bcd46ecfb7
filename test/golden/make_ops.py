#!/usr/bin/env python3
"""Writes ops.json for test/golden/ops.test.ts: arithmetic, comparisons, movement, reductions and reads with their gradients from PyTorch.

Inputs are wave(shape, scale, shift), the formula of make_torch.py; the gradient is that of Σ value · wave(value's shape, 2, 9).
"""
import json
import os

import torch

torch.set_num_threads(1)
f = torch.nn.functional
ratio = 0.6180339887498949


def wave(shape, scale=4.0, shift=0):
    count = 1
    for extent in shape:
        count *= extent
    value = (torch.arange(count, dtype=torch.float64) + shift) * ratio
    return ((value - value.floor() - 0.5) * scale).to(torch.float32).reshape(shape)


def numbers(tensor):
    return [float(f"{float(v):.9g}") for v in tensor.detach().reshape(-1)]


x = wave([3, 4])
y = wave([3, 4], 4.0, 5)
y = torch.where(x > 1, x, y)
row = wave([4], 3.0, 2)
away = row + torch.where(row < 0, -0.3, 0.3)
cube = wave([2, 3, 4])
bools = x > 0
others = y > 0.3
picks = torch.tensor([[0, 2, 1, 0], [2, 2, 0, 1]])
rows = torch.tensor([2, 0, 2])
image = wave([2, 3, 4, 4])
scale, offset = wave([3], 2.0, 7), wave([3], 2.0, 8)
special = torch.tensor([1.5, float("nan"), float("inf"), -float("inf"), -0.0, 3e38])
out = {}


def record(name, function, *inputs):
    inputs = [i.clone().requires_grad_() for i in inputs]
    value = function(*inputs)
    if value.requires_grad:
        (value * wave(list(value.shape), 2.0, 9)).sum().backward()
    gradients = [numbers(i.grad if i.grad is not None else torch.zeros_like(i)) for i in inputs]
    out[name] = {"shape": list(value.shape), "value": numbers(value), "gradients": gradients}


record("add", torch.add, x, row)
record("sub", torch.sub, x, row)
record("mul", torch.mul, x, row)
record("div", torch.div, x, away)
for name in ["neg", "abs", "sign", "floor"]:
    record(name, getattr(torch, name), x)
record("maximum", torch.maximum, x, y)
record("minimum", torch.minimum, x, y)
record("where", lambda a, b: torch.where(bools, a, b), x, row)
record("cast", lambda a: (a.to(torch.int32)).to(torch.float32) * a, x)
record("stopGradient", lambda a: a.detach() * a, x)
names = {"less": "lt", "lessEqual": "le", "greater": "gt", "greaterEqual": "ge", "equal": "eq", "notEqual": "ne"}
for name, theirs in names.items():
    record(name, getattr(torch, theirs), x, y)
record("logicalAnd", lambda: bools & others)
record("logicalOr", lambda: bools | others)
record("logicalNot", lambda: ~bools)
for name in ["isnan", "isinf", "isfinite"]:
    record({"isnan": "isNaN", "isinf": "isInf", "isfinite": "isFinite"}[name], lambda: getattr(torch, name)(special))
record("nanToNum", lambda a: torch.nan_to_num(a, nan=0.5, posinf=2.0, neginf=-3.0), special)
record("roundTo", lambda a: a.to(torch.bfloat16).to(torch.float32), x)
record("sum", lambda a: a.sum((0, 2)), cube)
record("min", lambda a: a.amin(1), cube)
record("firstMax", lambda a: a.max(1).values, torch.round(cube))
record("argmax", lambda a: a.argmax(1), cube)
record("argmin", lambda a: a.argmin(-1), cube)
record("broadcastTo", lambda a: a.broadcast_to(3, 4), row)
record("reshape", lambda a: a.reshape(4, -1), cube)
record("transpose", lambda a: a.permute(2, 0, 1), cube)
record("swapAxes", lambda a: a.swapaxes(0, 2), cube)
record("slice", lambda a: a[1:, :, ::2], cube)
record("flip", lambda a: a.flip(0, 2), cube)
record("concat", lambda a, b: torch.cat([a, b.reshape(1, 4)]), x, row)
record("stack", lambda a, b: torch.stack([a, b], 1), x, y)
record("unfold", lambda a: a.unfold(1, 3, 1), x)
record("gather", lambda a: a.gather(0, picks), x)
record("take", lambda a: a[rows], x)
record("scatter", lambda a, u: a.scatter(0, torch.tensor([[0, 2, 1, 0]]), u), x, wave([1, 4], 1.0, 3))
record("scatterAdd", lambda u: torch.zeros(3, 4).scatter_add(0, picks, u), wave([2, 4], 1.0, 3))
ties = torch.round(wave([2, 4], 6.0, 3)) / 2
for name, reduce in {"scatterMax": "amax", "scatterMin": "amin"}.items():
    record(name, lambda a, u: a.scatter_reduce(0, picks, u, reduce), torch.round(x * 2) / 2, ties)
record("batchNormTraining", lambda a, w, b: f.batch_norm(a, None, None, w, b, training=True), image, scale, offset)
record(
    "batchNorm",
    lambda a, w, b: f.batch_norm(a, wave([3], 1.0, 4), wave([3], 1.0, 6).abs() + 0.5, w, b),
    image,
    scale,
    offset,
)
record("globalMaxPool", lambda a: f.adaptive_max_pool2d(a, 1).flatten(1), image)
record("full", lambda: torch.full((2, 3), 0.7))
record("fullLike", lambda: torch.full_like(x, 0.7))
record("zerosLike", lambda: torch.zeros_like(x))
record("onesLike", lambda: torch.ones_like(x))
record("arange", lambda: torch.arange(0.5, 3.0, 0.25))
record("coordinate", lambda: torch.arange(3).reshape(3, 1).broadcast_to(3, 4))
record("eye", lambda: torch.eye(3, 4))
record("oneHot", lambda: f.one_hot(picks, 4))
record("meshgrid", lambda a, b: torch.stack(torch.meshgrid(a, b, indexing="ij")), row, offset)

path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "ops.json")
with open(path, "w") as file:
    json.dump({"torch": torch.__version__.split("+")[0], "ops": out}, file, separators=(",", ":"))
    file.write("\n")
