#!/usr/bin/env python3
"""Writes losses.json for test/golden/losses.test.ts: losses in every reduction, with weights, ignored targets and margins, and their gradients, from PyTorch; focal, InfoNCE
and hinge by their formulas in PyTorch.

Inputs are wave(shape, scale, shift), the formula of make_torch.py; targets are (i² + ⌊i ÷ 3⌋) mod classes. The gradient is that of the loss, or of Σ (1 + i) · lossᵢ.
"""
import json
import math
import os

import torch

torch.set_num_threads(1)
f = torch.nn.functional
ratio = 0.6180339887498949
N, C, W = 12, 5, 4


def wave(shape, scale=1.0, shift=0):
    value = (torch.arange(math.prod(shape), dtype=torch.float64) + shift) * ratio
    return ((value - value.floor() - 0.5) * scale).to(torch.float32).reshape(shape)


def short(tensor):
    return [float(f"{float(v):.9g}") for v in tensor.detach().reshape(-1)]


labels = torch.tensor([(i * i + i // 3) % C for i in range(N)])
some = torch.tensor([-100 if i % 4 == 1 else (i * i + i // 3) % C for i in range(N)])
bits = torch.tensor([float(i * i % 3) for i in range(N)])
grid = (wave([N, C], 1.0, 29) > 0.1).float()
logits, scores, other = wave([N, C], 8.0, 3), wave([N], 6.0, 11), wave([N], 3.0, 5)
probabilities = torch.softmax(wave([N, C], 4.0, 17), -1)
samples = wave([N], 1.0, 7) + 0.75
weights = torch.tensor([0.5, 1.0, 2.0, 0.0, 1.5])
pairs, triples = wave([N, 2, W], 2.0, 13), wave([N, 3, W], 2.0, 19)
spread = torch.stack([scores, other.abs() + 0.1], -1)
counts = torch.tensor([float((i * 7) % 5) for i in range(N)])
sequences = wave([4, 9, C], 6.0, 23)
spelled = torch.tensor([1 + (i * i + i // 3) % (C - 1) for i in range(16)]).reshape(4, 4)
times, lengths = torch.tensor([9, 7, 8, 3]), torch.tensor([4, 3, 0, 1])
tight, full, most = torch.tensor([9, 3, 4, 5]), torch.tensor([9] * 4), torch.tensor([4] * 4)


def focal(x, t, gamma, alpha, reduction):
    p = torch.sigmoid(x)
    ce = f.binary_cross_entropy_with_logits(x, t, reduction="none")
    value = ce * (1 - (p * t + (1 - p) * (1 - t))) ** gamma
    if alpha is not None:
        value = value * (alpha * t + (1 - alpha) * (1 - t))
    return reduce(value, reduction)


def focal_classes(x, t, gamma, reduction):
    log = f.nll_loss(torch.log_softmax(x, -1), t, reduction="none")
    return reduce(log * (1 - torch.exp(-log)) ** gamma, reduction)


def ctc(x, targets, input_lengths, target_lengths, reduction, **options):
    logs = torch.log_softmax(x, -1).transpose(0, 1)
    return f.ctc_loss(logs, targets, input_lengths, target_lengths, reduction=reduction, **options)


def reduce(value, reduction):
    return value if reduction == "none" else getattr(value, reduction)()


def info_nce(x, temperature, symmetric, reduction):
    a, b = f.normalize(x[:, 0], dim=-1), f.normalize(x[:, 1], dim=-1)
    s = a @ b.T / temperature
    own = torch.arange(N)
    forth = f.cross_entropy(s, own, reduction="none")
    return reduce((forth + f.cross_entropy(s.T, own, reduction="none")) / 2 if symmetric else forth, reduction)


def hinge(x, t, margin, reduction):
    return reduce(torch.clamp(margin - (2 * t - 1) * x, min=0), reduction)


def kl(x, r):
    return f.kl_div(x, probabilities, reduction="batchmean" if r == "mean" else r)


def per_sample(value, reduction):
    """Keras's sample weights: they multiply the terms, and a mean is over the number of these."""
    return reduce(value * samples.reshape([N] + [1] * (value.dim() - 1)), reduction)


g = "gaussian_nll"
p = "poisson_nll"
cases = {
    "cross_entropy": (logits, lambda x, r: f.cross_entropy(x, labels, reduction=r)),
    "cross_entropy classWeights": (logits, lambda x, r: f.cross_entropy(x, labels, weight=weights, reduction=r)),
    "cross_entropy ignoreIndex": (logits, lambda x, r: f.cross_entropy(x, some, reduction=r)),
    "cross_entropy all": (
        logits,
        lambda x, r: f.cross_entropy(x, some, weight=weights, label_smoothing=0.1, reduction=r),
    ),
    "cross_entropy probabilities": (
        logits,
        lambda x, r: f.cross_entropy(x, probabilities, weight=weights, label_smoothing=0.2, reduction=r),
    ),
    "cross_entropy sampleWeights": (logits, lambda x, r: per_sample(f.cross_entropy(x, labels, reduction="none"), r)),
    "nll": (logits, lambda x, r: f.nll_loss(x, some, weight=weights, reduction=r)),
    "multi_margin": (logits, lambda x, r: f.multi_margin_loss(x, labels, margin=1.5, weight=weights, reduction=r)),
    "multi_margin power": (logits, lambda x, r: f.multi_margin_loss(x, labels, p=2, reduction=r)),
    "focal": (scores, lambda x, r: focal(x, bits, 2, 0.25, r)),
    "focal gamma": (scores, lambda x, r: focal(x, bits, 0.5, None, r)),
    "focal classes": (logits, lambda x, r: focal_classes(x, labels, 1.5, r)),
    "kl_divergence": (logits, kl),
    "binary_cross_entropy": (
        logits,
        lambda x, r: f.binary_cross_entropy_with_logits(x, grid, pos_weight=weights + 0.5, reduction=r),
    ),
    "binary_cross_entropy sampleWeights": (
        logits,
        lambda x, r: f.binary_cross_entropy_with_logits(x, grid, weight=samples.reshape([N, 1]), reduction=r),
    ),
    "hinge": (scores, lambda x, r: hinge(x, bits, 1.25, r)),
    "mse": (scores, lambda x, r: f.mse_loss(x, other, reduction=r)),
    "mse sampleWeights": (scores, lambda x, r: per_sample(f.mse_loss(x, other, reduction="none"), r)),
    "l1": (scores, lambda x, r: f.l1_loss(x, other, reduction=r)),
    "smooth_l1": (scores, lambda x, r: f.smooth_l1_loss(x, other, beta=0.7, reduction=r)),
    "huber": (scores, lambda x, r: f.huber_loss(x, other, delta=1.3, reduction=r)),
    g: (spread, lambda x, r: f.gaussian_nll_loss(x[:, 0], other, x[:, 1], reduction=r)),
    f"{g} full": (spread, lambda x, r: f.gaussian_nll_loss(x[:, 0], other, x[:, 1], full=True, reduction=r)),
    p: (scores, lambda x, r: f.poisson_nll_loss(x, counts, reduction=r)),
    f"{p} full": (spread[:, 1].clone(), lambda x, r: f.poisson_nll_loss(x, counts, log_input=False, full=True, reduction=r)),
    "cosine_embedding": (
        pairs,
        lambda x, r: f.cosine_embedding_loss(x[:, 0], x[:, 1], 2 * bits - 1, margin=0.1, reduction=r),
    ),
    "triplet_margin": (triples, lambda x, r: f.triplet_margin_loss(x[:, 0], x[:, 1], x[:, 2], reduction=r)),
    "triplet_margin swap": (
        triples,
        lambda x, r: f.triplet_margin_loss(x[:, 0], x[:, 1], x[:, 2], margin=0.3, swap=True, reduction=r),
    ),
    "ctc": (sequences, lambda x, r: ctc(x, spelled, full, most, r)),
    "ctc lengths": (sequences, lambda x, r: ctc(x, spelled, times, lengths, r)),
    "ctc blank": (sequences, lambda x, r: ctc(x, spelled - 1, times, lengths, r, blank=C - 1)),
    "ctc zeroInfinity": (sequences, lambda x, r: ctc(x, spelled, tight, most, r, zero_infinity=True)),
    "info_nce": (pairs, lambda x, r: info_nce(x, 0.07, False, r)),
    "info_nce symmetric": (pairs, lambda x, r: info_nce(x, 0.5, True, r)),
}

losses = {}
for name, (given, function) in cases.items():
    for reduction in ["mean", "sum", "none"]:
        x = given.clone().requires_grad_()
        value = function(x, reduction)
        row = torch.arange(1, value.numel() + 1).reshape(value.shape)
        (value * row).sum().backward()
        # The sum's gradient is the mean's times a number, which its value shows too.
        kept = {} if reduction == "sum" else {"gradient": short(x.grad)}
        losses[f"{name} {reduction}"] = {"value": short(value), **kept}
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "losses.json"), "w") as file:
    json.dump({"torch": torch.__version__, "losses": losses}, file, separators=(",", ":"))
