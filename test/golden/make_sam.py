#!/usr/bin/env python3
"""Writes sam.json: steps of sharpness-aware minimisation around PyTorch's own optimizers, in float64, for test/golden/sam.test.ts.

PyTorch has no SAM: the class here is that of github.com/davda54/sam, which papers compare with, written out in a few lines. The objective is that of
make_optimizers.py's convex problem, and + Σ p⁴ ÷ 8, whose curvature isn't the same everywhere.
"""
import json
import math
import os
import sys

import torch

ratio = 0.6180339887498949
shapes = {"w": [6, 9], "b": [9]}


def wave(shape, scale=1.0, shift=0):
    value = (torch.arange(math.prod(shape), dtype=torch.float64) + shift) * ratio
    return ((value - value.floor() - 0.5) * scale).to(torch.float32).reshape(shape).double()


def backward(parameters):
    for p in parameters.values():
        p.grad = None
    loss = sum(p.sum() for p in parameters.values()) ** 2 / 40
    for name, p in parameters.items():
        c, q = wave(shapes[name], 1.5, 7) + 1, wave(shapes[name], 2.0, 11)
        loss = loss + (c * (p - q) ** 2).sum() / 2 + (p**4).sum() / 8
    loss.backward()
    return loss.item()


def steps(make, rho, adaptive, count=6):
    parameters = {"w": wave(shapes["w"], 1.0, 3).requires_grad_(), "b": wave(shapes["b"], 1.0, 5).requires_grad_()}
    inner = make(parameters)
    losses = []
    for _ in range(count):
        losses.append(backward(parameters))
        norm = torch.stack(
            [((p.detach().abs() if adaptive else 1.0) * p.grad).norm() for p in parameters.values()]
        ).norm()
        old = {name: p.detach().clone() for name, p in parameters.items()}
        with torch.no_grad():
            for p in parameters.values():
                p.add_((p**2 if adaptive else 1.0) * p.grad * (rho / (norm + 1e-12)))
        backward(parameters)
        with torch.no_grad():
            for name, p in parameters.items():
                p.copy_(old[name])
        inner.step()
    return {"losses": losses, **{name: p.detach().reshape(-1).tolist() for name, p in parameters.items()}}


def adamw(p):
    return torch.optim.AdamW([{"params": [p["w"]], "weight_decay": 0.1}, {"params": [p["b"]], "weight_decay": 0.0}], lr=0.05)


cases = {
    "sgd": steps(lambda p: torch.optim.SGD(list(p.values()), lr=0.1, momentum=0.9), 0.5, False),
    "sgd adaptive": steps(lambda p: torch.optim.SGD(list(p.values()), lr=0.1, momentum=0.9), 2.0, True),
    "adamW": steps(adamw, 0.5, False),
}
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "sam.json"), "w") as file:
    json.dump({"torch": torch.__version__, "cases": cases}, file, separators=(",", ":"))
print("torch", torch.__version__, "written", file=sys.stderr)
