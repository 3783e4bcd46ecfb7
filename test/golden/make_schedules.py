#!/usr/bin/env python3
"""Writes schedules.json: learning rates by step, for test/golden/schedules.test.ts: PyTorch's schedulers (Debian python3-torch) stepped one by one, or, where
it has none, the formula of Keras or of a paper, written here with Python's own math.
"""
import json
import math
import os
import sys
import warnings

import torch
from torch.optim import lr_scheduler as lr

warnings.filterwarnings("ignore")
STEPS = 60


def stepped(make, rate, **optimizer):
    """The rate that each of the first STEPS steps uses."""
    weight = torch.zeros(1, requires_grad=True)
    sgd = torch.optim.SGD([weight], lr=rate, **optimizer)
    scheduler = make(sgd)
    out = []
    for _ in range(STEPS):
        out.append(sgd.param_groups[0]["lr"])
        sgd.step()
        scheduler.step()
    return out


def formula(f):
    return [float(f(step)) for step in range(STEPS)]


def plateau(losses, rate, **options):
    weight = torch.zeros(1, requires_grad=True)
    sgd = torch.optim.SGD([weight], lr=rate)
    scheduler = lr.ReduceLROnPlateau(sgd, **options)
    out = []
    for loss in losses:
        scheduler.step(loss)
        out.append(sgd.param_groups[0]["lr"])
    return out


def cycled(step, first, last, total, power):
    length = total * max(1, math.ceil(step / total))
    return (first - last) * (1 - step / length) ** power + last


losses = [1, 0.9, 0.95, 0.91, 0.9, 0.899999, 0.5, 0.6, 0.6, 0.6, 0.6, 0.6, 0.6, 0.4, 0.41, 0.41, 0.41, 0.41, 0.41, 0.3]
scores = [1 - loss for loss in losses]
cases = {
    "polynomial": stepped(lambda o: lr.PolynomialLR(o, 40, 2.0), 0.5),
    "polynomial to an end": formula(lambda s: 0.01 + 0.49 * (1 - min(s, 40) / 40) ** 0.5),
    "polynomial cycle": formula(lambda s: cycled(s, 0.5, 0.01, 25, 1.5)),
    "linear": formula(lambda s: 0.1 + 0.4 * min(s, 30) / 30),
    "exponential": stepped(lambda o: lr.ExponentialLR(o, 0.5 ** (1 / 20)), 0.5),
    "exponential staircase": formula(lambda s: 0.5 * 0.7 ** math.floor(s / 20)),
    "inverse exponential time decay": formula(lambda s: 0.5 / (1 + 0.3 * s**1.5 / 20)),
    "inverse exponential time decay staircase": formula(lambda s: 0.5 / (1 + 0.3 * math.floor(s**2 / 20))),
    "inverse square root": formula(lambda s: 0.5 * 2 / math.sqrt(max(s, 7))),
    "cosine decay": formula(lambda s: 0.1 + 0.4 * 0.5 * (1 + math.cos(math.pi * min(s, 30) / 30))),
    "piecewise constant": formula(lambda s: 0.5 if s < 10 else 0.2 if s < 30 else 0.1),
    "multi step": stepped(lambda o: lr.MultiStepLR(o, [10, 11, 40], 0.3), 0.5),
    "step": stepped(lambda o: lr.StepLR(o, 15, 0.3), 0.5),
    "cosine annealing": stepped(lambda o: lr.CosineAnnealingLR(o, 13, 0.01), 0.5),
    "warm restarts": stepped(lambda o: lr.CosineAnnealingWarmRestarts(o, 11, 1, 0.01), 0.5),
    "warm restarts longer": stepped(lambda o: lr.CosineAnnealingWarmRestarts(o, 5, 2, 0.01), 0.5),
    "lambda": stepped(lambda o: lr.LambdaLR(o, lambda s: 1 / (1 + s)), 0.5),
    "multiplicative": stepped(lambda o: lr.MultiplicativeLR(o, lambda s: 0.95), 0.5),
    "multiplicative by step": stepped(lambda o: lr.MultiplicativeLR(o, lambda s: 1 - 0.01 * s), 0.5),
    "cyclic": stepped(lambda o: lr.CyclicLR(o, 0.1, 0.5, 10, 5, "triangular"), 0.1, momentum=0.9),
    "cyclic 2": stepped(lambda o: lr.CyclicLR(o, 0.1, 0.5, 10, None, "triangular2"), 0.1, momentum=0.9),
    "cyclic exponential": stepped(lambda o: lr.CyclicLR(o, 0.1, 0.5, 8, 9, "exp_range", 0.97), 0.1, momentum=0.9),
    "one cycle": stepped(lambda o: lr.OneCycleLR(o, 0.5, STEPS + 1, div_factor=10, final_div_factor=100), 0.5, momentum=0.9),
    "one cycle linear": stepped(
        lambda o: lr.OneCycleLR(o, 0.5, STEPS + 1, pct_start=0.4, anneal_strategy="linear", div_factor=25, three_phase=True),
        0.5,
        momentum=0.9,
    ),
    "sequential": formula(lambda s: 0.5 * s / 10 if s < 10 else 0.5 * 0.9 ** ((s - 10) / 5)),
    "chained": formula(lambda s: 0.5 * 0.95**s * (0.3 ** math.floor(s / 15))),
    "plateau": plateau(losses, 0.5, factor=0.3, patience=1),
    "plateau all": plateau(
        scores, 0.5, mode="max", factor=0.5, patience=0, threshold=0.02, threshold_mode="abs", cooldown=2, min_lr=0.1
    ),
}
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "schedules.json"), "w") as file:
    data = {"torch": torch.__version__, "steps": STEPS, "losses": losses, "cases": cases}
    json.dump(data, file, separators=(",", ":"))
print("torch", torch.__version__, "written", file=sys.stderr)
