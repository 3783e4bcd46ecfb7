#!/usr/bin/env python3
"""Writes elementwise.json for test/golden/elementwise.test.ts: elementwise functions with their gradients from PyTorch.

Inputs are wave(n, scale, shift), the formula of make_torch.py; the gradient is that of Σ value · wave(n, 2, 9).
"""
import json
import os
import sys

import torch

torch.set_num_threads(1)
f = torch.nn.functional
ratio = 0.6180339887498949
N = 40


def wave(scale=1.0, shift=0):
    value = (torch.arange(N, dtype=torch.float64) + shift) * ratio
    return ((value - value.floor() - 0.5) * scale).to(torch.float32)


def numbers(tensor):
    return [float(f"{float(v):.9g}") for v in tensor.detach().reshape(-1)]


x = wave(8.0, 6)
p = x.abs() + 0.1
other = wave(3.0, 21)
away = other + torch.where(other < 0, -0.3, 0.3)
out = {}


def record(name, function, *inputs):
    inputs = [i.clone().requires_grad_() for i in inputs]
    value = function(*inputs)
    if value.requires_grad:
        (value * wave(2.0, 9)).sum().backward()
    gradients = [numbers(i.grad) if i.grad is not None else [0.0] * N for i in inputs]
    out[name] = {"value": numbers(value), "gradients": gradients}


for name in ["square", "reciprocal", "ceil", "round", "trunc", "expm1"]:
    record(name, getattr(torch, name), x)
for name in ["atan", "sinh", "cosh", "exp2"]:
    record(name, getattr(torch, name), x)
for name in ["rsqrt", "log2", "log10"]:
    record(name, getattr(torch, name), p)
for name in ["asin", "acos", "tan"]:
    record(name, getattr(torch, name), x / 4.5)
record("asinh", torch.asinh, x)
record("acosh", torch.acosh, p + 1)
record("atanh", torch.atanh, x / 4.5)
record("erfc", torch.erfc, x / 2)
record("geluTanh", lambda a: f.gelu(a, approximate="tanh"), x)
record("pow", torch.pow, p, other)
record("pow of a number", lambda a: torch.pow(a, 3), x)
record("pow of two", lambda a: torch.pow(a, 2), x)
record("number to a power", lambda a: torch.pow(1.7, a), x)
record("atan2", torch.atan2, x, other)
record("hypot", torch.hypot, x, other)
record("log1p", torch.log1p, x / 5)
record("remainder", torch.remainder, x, away)
record("floorDivide", lambda a, b: torch.floor_divide(a.detach(), b.detach()), x, away)
record("lerp", torch.lerp, x, other, wave(1.0, 5))
record("clamp", lambda a: torch.clamp(a, -1.5, 2), x)
record("clamp by tensors", lambda a, low: torch.clamp(a, low, low + 1), x, other)
record("silu", f.silu, x)
record("prelu", lambda a, w: torch.where(a > 0, a, w * a), x, other)
record("leakyRelu", lambda a: f.leaky_relu(a, 0.2), x)
record("elu", lambda a: f.elu(a, 0.7), x)
record("selu", f.selu, x)
record("celu", lambda a: f.celu(a, 1.5), x)
record("mish", f.mish, x)
record("logSigmoid", f.logsigmoid, x)
record("hardtanh", lambda a: f.hardtanh(a, -1, 2), x)
record("relu6", f.relu6, x * 2)
record("hardSigmoid", f.hardsigmoid, x)
record("hardSwish", f.hardswish, x)

integers = torch.tensor([7, -7, 7, -7, 0, 2**31 - 1, -(2**31), 12345, -99999], dtype=torch.int32)
divisors = torch.tensor([2, 2, -2, -2, 5, -3, 7, 100, 1000], dtype=torch.int32)
shifts = divisors.abs() % 11
whole = {
    "floorDivide": torch.floor_divide(integers, divisors),
    "remainder": torch.remainder(integers, divisors),
    "bitAnd": integers & divisors,
    "bitOr": integers | divisors,
    "bitXor": integers ^ divisors,
    "shiftLeft": integers << shifts,
    "shiftRight": integers >> shifts,
    "bitNot": ~integers,
}
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "elementwise.json"), "w") as file:
    integer = {name: value.tolist() for name, value in whole.items()}
    json.dump({"torch": torch.__version__, "floats": out, "integers": integer}, file, separators=(",", ":"))
print("torch", torch.__version__, "written", file=sys.stderr)
