#!/usr/bin/env python3
"""Writes norms.json for test/golden/norms.test.ts: normalisation layers of PyTorch, their outputs, gradients and buffers.

Inputs are wave(n, scale, shift), the formula of make_torch.py; the loss is the sum of outputs times wave(n, 1, 101).
"""
import json
import math
import os
import sys

import torch

torch.set_num_threads(1)
nn = torch.nn
ratio = 0.6180339887498949


def wave(shape, scale=1.0, shift=0):
    value = (torch.arange(math.prod(shape), dtype=torch.float64) + shift) * ratio
    return ((value - value.floor() - 0.5) * scale).to(torch.float32).reshape(shape)


def flat(x):
    return [float(f"{float(v):.9g}") for v in x.detach().reshape(-1)]


def given(module):
    for i, parameter in enumerate(module.parameters()):
        parameter.data = wave(parameter.shape, 1.0, 31 + 7 * i)
    return module


def case(module, shape, steps=2, evaluate=True):
    """Two training passes over different inputs, then one in evaluation: outputs and gradients of the last of each kind, buffers."""
    for i in range(steps):
        x = wave(shape, 3.0, 5 + i).add(0.3).requires_grad_()
        module.zero_grad()
        y = module(x)
        (y * wave(y.shape, 1.0, 101)).sum().backward()
    record = {
        "output": flat(y),
        "gradient": flat(x.grad),
        "parameters": [flat(parameter.grad) for parameter in module.parameters()],
        "buffers": [flat(b) for n, b in module.named_buffers() if b.dtype == torch.float32],
    }
    if evaluate:
        module.eval()
        x = wave(shape, 3.0, 77).requires_grad_()
        y = module(x)
        (y * wave(y.shape, 1.0, 101)).sum().backward()
        record["evaluated"] = flat(y)
        record["evaluated_gradient"] = flat(x.grad)
    return record


def spectral():
    module = nn.utils.parametrizations.spectral_norm(given(nn.Linear(5, 4)))
    parametrization = module.parametrizations.weight[0]
    with torch.no_grad():
        parametrization._u.copy_(wave([4], 1.0, 3) / wave([4], 1.0, 3).norm())
        parametrization._v.copy_(wave([5], 1.0, 9) / wave([5], 1.0, 9).norm())
    return module


cases = {
    "batchNorm1d rows": case(given(nn.BatchNorm1d(5)), [7, 5]),
    "batchNorm1d": case(given(nn.BatchNorm1d(3, momentum=0.3, eps=1e-3)), [4, 3, 5]),
    "batchNorm2d": case(given(nn.BatchNorm2d(3)), [2, 3, 5, 4]),
    "batchNorm2d plain": case(nn.BatchNorm2d(3, affine=False, track_running_stats=False), [2, 3, 3, 3]),
    "batchNorm2d cumulative": case(given(nn.BatchNorm2d(3, momentum=None)), [2, 3, 5, 4], steps=3),
    "batchNorm3d": case(given(nn.BatchNorm3d(2)), [3, 2, 2, 3, 2]),
    "groupNorm": case(given(nn.GroupNorm(2, 6)), [2, 6, 3, 3]),
    "groupNorm rows": case(given(nn.GroupNorm(3, 6)), [4, 6]),
    "instanceNorm": case(nn.InstanceNorm2d(3), [2, 3, 4, 5]),
    "instanceNorm affine": case(given(nn.InstanceNorm1d(3, affine=True)), [2, 3, 7]),
    "instanceNorm running": case(
        given(nn.InstanceNorm2d(3, affine=True, track_running_stats=True, momentum=0.2)), [2, 3, 4, 5]
    ),
    "rmsNorm": case(given(nn.RMSNorm([4, 3])), [5, 4, 3]),
    "rmsNorm epsilon": case(given(nn.RMSNorm(6, eps=1e-3)), [3, 6]),
    "weightNorm": case(nn.utils.parametrizations.weight_norm(given(nn.Linear(5, 4))), [3, 5]),
    "weightNorm conv": case(nn.utils.parametrizations.weight_norm(given(nn.Conv2d(2, 3, 3))), [2, 2, 4, 4]),
    "spectralNorm": case(spectral(), [3, 5]),
}
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "norms.json"), "w") as file:
    json.dump({"torch": torch.__version__, "cases": cases}, file, separators=(",", ":"))
print("torch", torch.__version__, "written", {k: [len(p) for p in v["parameters"]] for k, v in cases.items()}, file=sys.stderr)
