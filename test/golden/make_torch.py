#!/usr/bin/env python3
"""Writes torch.json: values from PyTorch (Debian python3-torch) that test/golden/torch.test.ts compares with a stated tolerance.

Inputs are a formula both sides compute, so only results are stored: wave(n, scale)[i] = fround((frac(i · 0.6180339887498949) − 0.5) · scale).
"""
import json
import os
import sys

import torch

torch.set_num_threads(1)
ratio = 0.6180339887498949


def wave(shape, scale=1.0, shift=0):
    count = 1
    for extent in shape:
        count *= extent
    index = torch.arange(count, dtype=torch.float64) + shift
    value = index * ratio
    return ((value - value.floor() - 0.5) * scale).to(torch.float32).reshape(shape)


def sample(tensor, most=200):
    flat = tensor.detach().reshape(-1)
    step = max(1, flat.numel() // most)
    return {"step": step, "values": [float(f"{float(v):.9g}") for v in flat[::step]]}


def mlp(optimizer_of, steps=3):
    w1 = wave([128, 784], 2 / 28, 1).requires_grad_()
    b1 = wave([128], 2 / 28, 2).requires_grad_()
    w2 = wave([10, 128], 0.17, 3).requires_grad_()
    b2 = wave([10], 0.17, 4).requires_grad_()
    x = wave([64, 784], 3.0, 5)
    y = torch.arange(64) * 7 % 10
    parameters = [w1, b1, w2, b2]
    optimizer = optimizer_of(parameters)
    out = {}
    for step in range(steps):
        optimizer.zero_grad()
        logits = torch.relu(x @ w1.T + b1) @ w2.T + b2
        loss = torch.nn.functional.cross_entropy(logits, y)
        loss.backward()
        if step == 0:
            out["logits"] = sample(logits)
            out["gradients"] = {n: sample(p.grad) for n, p in zip(["w1", "b1", "w2", "b2"], parameters)}
        out.setdefault("losses", []).append(float(loss))
        optimizer.step()
    out["parameters"] = {n: sample(p) for n, p in zip(["w1", "b1", "w2", "b2"], parameters)}
    return out


def adamw(parameters):
    decayed = [p for p in parameters if p.dim() >= 2]
    rest = [p for p in parameters if p.dim() < 2]
    groups = [{"params": decayed, "weight_decay": 0.01}, {"params": rest, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=3e-3)


def functions():
    f = torch.nn.functional
    x = wave([6, 50], 8.0, 6)
    p = x.abs() + 0.1
    out = {}

    def record(name, function, *inputs):
        inputs = [i.clone().requires_grad_() for i in inputs]
        value = function(*inputs)
        (value * wave(list(value.shape), 2.0, 9)).sum().backward()
        out[name] = {"value": sample(value), "gradients": [sample(i.grad) for i in inputs]}

    for name in ["exp", "tanh", "sigmoid", "sin", "cos", "erf"]:
        record(name, getattr(torch, name), x)
    record("log", torch.log, p)
    record("sqrt", torch.sqrt, p)
    record("gelu", f.gelu, x)
    record("relu", f.relu, x)
    record("softmax", lambda a: f.softmax(a, -1), x)
    record("logSoftmax", lambda a: f.log_softmax(a, 0), x)
    record("layerNorm", lambda a, w, b: f.layer_norm(a, [50], w, b), x, wave([50], 2.0, 7), wave([50], 2.0, 8))
    record("matmul", torch.matmul, wave([2, 3, 5, 300], 1.0, 10), wave([3, 300, 4], 1.0, 11))
    record("mse", f.mse_loss, x, wave([6, 50], 1.0, 12))
    record("variance", lambda a: a.var(1, unbiased=False), x)
    record("max", lambda a: a.amax(1), x)
    record("mean", lambda a: a.mean(0), x)
    record("embedding", lambda t: f.embedding(torch.tensor([[3, 1, 3], [0, 5, 3]]), t), x)
    return out


golden = {
    "torch": torch.__version__,
    "functions": functions(),
    "mlp": {
        "adamW": mlp(adamw),
        "adam": mlp(lambda p: torch.optim.Adam(p, lr=3e-3)),
        "sgd": mlp(lambda p: torch.optim.SGD(p, lr=0.1)),
        "momentum": mlp(lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9)),
        "nesterov": mlp(lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True)),
    },
}
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "torch.json"), "w") as file:
    json.dump(golden, file, separators=(",", ":"))
print("torch", torch.__version__, "written", file=sys.stderr)
