#!/usr/bin/env python3
"""Writes optimizers.json: five steps of each optimizer, for test/golden/optimizers.test.ts: PyTorch's (Debian python3-torch), or, where it has none, the
paper's formula in float64, written here for itself.

Two parameters, w [6, 9] and b [9]. The gradient at step t (from 1) is wave(shape, 2, 40 + 17·t) + 0.3·p, so that it depends on the weights. wave is the
formula of make_torch.py.
"""
import json
import math
import os
import sys

import numpy
import torch

torch.set_num_threads(1)
ratio = 0.6180339887498949
shapes = {"w": [6, 9], "b": [9]}
STEPS = 5


def wave(shape, scale=1.0, shift=0):
    value = (torch.arange(math.prod(shape), dtype=torch.float64) + shift) * ratio
    return ((value - value.floor() - 0.5) * scale).to(torch.float32).reshape(shape)


def start():
    return {"w": wave(shapes["w"], 1.0, 3), "b": wave(shapes["b"], 1.0, 5)}


def values(parameters):
    return {name: [float(f"{float(v):.9g}") for v in p.reshape(-1)] for name, p in parameters.items()}


def with_torch(make):
    parameters = {name: value.clone().requires_grad_() for name, value in start().items()}
    optimizer = make(parameters)
    for step in range(1, STEPS + 1):
        for name, p in parameters.items():
            p.grad = wave(shapes[name], 2.0, 40 + 17 * step) + 0.3 * p.detach()
        optimizer.step()
    return values({name: p.detach() for name, p in parameters.items()})


def with_numpy(update):
    """update(name, p, g, state, t) gives the next p; float64 throughout."""
    parameters = {name: value.double().numpy() for name, value in start().items()}
    states = {name: {} for name in parameters}
    for step in range(1, STEPS + 1):
        for name in parameters:
            g = wave(shapes[name], 2.0, 40 + 17 * step).double().numpy() + 0.3 * parameters[name]
            parameters[name] = update(name, parameters[name], g, states[name], step)
    return values(parameters)


def nadam(rate, beta1=0.9, beta2=0.999, psi=0.004, decay=0.0):
    """Of the paper: torch 1.13 multiplies mu into the next product twice, which later releases don't."""

    def mu(t):
        return beta1 * (1 - 0.5 * 0.96 ** (t * psi))

    def update(name, p, g, state, t):
        if p.ndim >= 2:
            g = g + decay * p
        m = state["m"] = beta1 * state.get("m", 0) + (1 - beta1) * g
        v = state["v"] = beta2 * state.get("v", 0) + (1 - beta2) * g**2
        product = math.prod(mu(i) for i in range(1, t + 1))
        hat = mu(t + 1) * m / (1 - product * mu(t + 1)) + (1 - mu(t)) * g / (1 - product)
        return p - rate * hat / (numpy.sqrt(v / (1 - beta2**t)) + 1e-8)

    return update


def lamb(rate, beta1=0.9, beta2=0.999, epsilon=1e-6, decay=0.0):
    def update(name, p, g, state, t):
        m = state["m"] = beta1 * state.get("m", 0) + (1 - beta1) * g
        v = state["v"] = beta2 * state.get("v", 0) + (1 - beta2) * g**2
        r = (m / (1 - beta1**t)) / (numpy.sqrt(v / (1 - beta2**t)) + epsilon)
        if p.ndim >= 2:
            r = r + decay * p
        return p - rate * numpy.linalg.norm(p) / numpy.linalg.norm(r) * r

    return update


def lion(rate, beta1=0.9, beta2=0.99, decay=0.0):
    def update(name, p, g, state, t):
        m = state.get("m", numpy.zeros_like(p))
        c = numpy.sign(beta1 * m + (1 - beta1) * g)
        state["m"] = beta2 * m + (1 - beta2) * g
        return p - rate * (c + (decay * p if p.ndim >= 2 else 0))

    return update


def adafactor(rate, decay=0.0, beta1=None, scale=True, relative=False, threshold=1.0):
    def rms(x):
        return math.sqrt((x**2).mean())

    def update(name, p, g, state, t):
        rho = min(rate, 1 / math.sqrt(t)) if relative else rate
        beta2 = 1 - t**-0.8
        square = g**2 + 1e-30
        if p.ndim >= 2:
            row = state["row"] = beta2 * state.get("row", 0) + (1 - beta2) * square.sum(axis=1)
            column = state["column"] = beta2 * state.get("column", 0) + (1 - beta2) * square.sum(axis=0)
            v = numpy.outer(row, column) / row.sum()
        else:
            v = state["v"] = beta2 * state.get("v", 0) + (1 - beta2) * square
        u = g / numpy.sqrt(v)
        u = u / max(1, rms(u) / threshold)
        if beta1 is not None:
            u = state["m"] = beta1 * state.get("m", 0) + (1 - beta1) * u
        step = rho * max(1e-3, rms(p)) if scale else rho
        return p - (rho * decay * p if p.ndim >= 2 else 0) - step * u

    return update


def muon(rate, momentum=0.95, nesterov=True, decay=0.0, match=False):
    def zeropower(x):
        transposed = x.shape[0] > x.shape[1]
        x = x.T if transposed else x
        x = x / (numpy.linalg.norm(x) + 1e-7)
        for _ in range(5):
            a = x @ x.T
            x = 3.4445 * x + (-4.775 * a + 2.0315 * (a @ a)) @ x
        return x.T if transposed else x

    def update(name, p, g, state, t):
        if p.ndim < 2:
            m = state["m"] = 0.9 * state.get("m", 0) + 0.1 * g
            v = state["v"] = 0.95 * state.get("v", 0) + 0.05 * g**2
            return p - rate * (m / (1 - 0.9**t)) / (numpy.sqrt(v / (1 - 0.95**t)) + 1e-8)
        b = state["b"] = momentum * state.get("b", 0) + (1 - momentum) * g
        u = (1 - momentum) * g + momentum * b if nesterov else b
        rows, columns = p.shape
        scale = 0.2 * math.sqrt(max(rows, columns)) if match else math.sqrt(max(1, rows / columns))
        return p * (1 - rate * decay) - rate * scale * zeropower(u)

    return update


def torch_case(cls, groups=False, **options):
    def make(p):
        if not groups:
            return cls(list(p.values()), **options)
        decay = options["weight_decay"]
        rest = {k: v for k, v in options.items() if k != "weight_decay"}
        return cls([{"params": [p["w"]], "weight_decay": decay}, {"params": [p["b"]], "weight_decay": 0.0}], **rest)

    return with_torch(make)


o = torch.optim
cases = {
    "sgd dampening": torch_case(o.SGD, lr=0.05, momentum=0.9, dampening=0.2),
    "sgd maximize": torch_case(o.SGD, True, lr=0.05, momentum=0.9, weight_decay=0.1, maximize=True),
    "adam amsgrad": torch_case(o.Adam, True, lr=0.02, weight_decay=0.1, amsgrad=True),
    "adamW amsgrad maximize": torch_case(o.AdamW, True, lr=0.02, weight_decay=0.1, amsgrad=True, maximize=True),
    "adagrad": torch_case(o.Adagrad, lr=0.1),
    "adagrad all": torch_case(
        o.Adagrad, True, lr=0.1, lr_decay=0.05, initial_accumulator_value=0.2, weight_decay=0.1
    ),
    "adadelta": torch_case(o.Adadelta, lr=1.0),
    "adadelta all": torch_case(o.Adadelta, True, lr=0.5, rho=0.8, eps=1e-5, weight_decay=0.1),
    "adamax": torch_case(o.Adamax, lr=0.02),
    "adamax all": torch_case(o.Adamax, True, lr=0.02, betas=(0.8, 0.98), weight_decay=0.1),
    "nadam": with_numpy(nadam(0.02)),
    "nadam all": with_numpy(nadam(0.02, 0.8, 0.98, 0.1, decay=0.1)),
    "radam": torch_case(o.RAdam, lr=0.02),
    "radam rectified": torch_case(o.RAdam, True, lr=0.02, betas=(0.8, 0.9), weight_decay=0.1),
    "rmsprop": torch_case(o.RMSprop, lr=0.01),
    "rmsprop all": torch_case(
        o.RMSprop, True, lr=0.01, alpha=0.9, momentum=0.9, centered=True, weight_decay=0.1
    ),
    "rprop": torch_case(o.Rprop, lr=0.02),
    "rprop all": torch_case(o.Rprop, lr=0.02, etas=(0.4, 1.5), step_sizes=(0.01, 0.03)),
    "asgd": torch_case(o.ASGD, lr=0.05),
    "asgd all": torch_case(o.ASGD, True, lr=0.05, lambd=0.01, alpha=0.6, t0=2, weight_decay=0.1),
    "lamb": with_numpy(lamb(0.02)),
    "lamb all": with_numpy(lamb(0.02, 0.8, 0.98, decay=0.1)),
    "lion": with_numpy(lion(0.01)),
    "lion all": with_numpy(lion(0.01, 0.8, 0.95, decay=0.1)),
    "adafactor": with_numpy(adafactor(0.02)),
    "adafactor all": with_numpy(adafactor(0.5, decay=0.1, beta1=0.9, relative=True, threshold=0.7)),
    "adafactor unscaled": with_numpy(adafactor(0.02, scale=False)),
    "muon": with_numpy(muon(0.02)),
    "muon all": with_numpy(muon(0.02, 0.9, False, decay=0.1, match=True)),
}


def on_convex(make, steps):
    """Σ ½·c·(p − q)² + ¼·(Σ p)² ÷ 10 over both parameters, c = wave(shape, 1.5, 7) + 1, q = wave(shape, 2, 11): float64, each step of one gradient."""
    parameters = {name: value.double().requires_grad_() for name, value in start().items()}
    optimizer = make(list(parameters.values()))

    def closure():
        optimizer.zero_grad()
        total = sum(p.sum() for p in parameters.values())
        loss = total**2 / 40
        for name, p in parameters.items():
            c, q = wave(shapes[name], 1.5, 7).double() + 1, wave(shapes[name], 2.0, 11).double()
            loss = loss + (c * (p - q) ** 2).sum() / 2
        loss.backward()
        return loss

    for _ in range(steps):
        optimizer.step(closure)
    return values({name: p.detach() for name, p in parameters.items()})


def torch_lbfgs(rate, size):
    return lambda p: torch.optim.LBFGS(p, lr=rate, max_iter=1, history_size=size)


convex = {
    "lbfgs": on_convex(torch_lbfgs(1, 10), 5),
    "lbfgs history": on_convex(torch_lbfgs(0.7, 3), 9),
}
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "optimizers.json"), "w") as file:
    json.dump({"torch": torch.__version__, "numpy": numpy.__version__, "cases": cases, "convex": convex}, file, separators=(",", ":"))
print("torch", torch.__version__, "numpy", numpy.__version__, "written", file=sys.stderr)
