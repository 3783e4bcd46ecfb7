#!/usr/bin/env python3
"""Writes measures.json for test/golden/measures.test.ts: losses with their gradients from PyTorch (Debian python3-torch), and metrics by their definitions, sample by
sample and pair by pair, in Python.

Inputs are wave(n, scale, shift), the formula of make_torch.py; targets are (i² + ⌊i ÷ 3⌋) mod classes, or i² mod 3, which is 0 or 1.
"""
import json
import math
import os
import sys

import torch

torch.set_num_threads(1)
f = torch.nn.functional
ratio = 0.6180339887498949
N, C = 90, 4


def wave(shape, scale=1.0, shift=0):
    value = (torch.arange(math.prod(shape), dtype=torch.float64) + shift) * ratio
    return ((value - value.floor() - 0.5) * scale).to(torch.float32).reshape(shape)


labels = torch.tensor([(i * i + i // 3) % C for i in range(N)])
bits = torch.tensor([i * i % 3 for i in range(N)])
logits = wave([N, C], 8.0, 3)
scores = wave([N], 8.0, 11)
probabilities = torch.softmax(wave([N, C], 4.0, 17), -1)
other = wave([N], 3.0, 5)
relevance = (wave([N, C], 1.0, 29) > 0.2).float()


def loss(function, x):
    x = x.clone().requires_grad_()
    value = function(x)
    value.backward()
    return {"value": float(value), "gradient": [float(f"{float(v):.9g}") for v in x.grad.reshape(-1)]}


logs = torch.log_softmax(logits, -1)
losses = {
    "cross_entropy smoothed": loss(lambda x: f.cross_entropy(x, labels, label_smoothing=0.1), logits),
    "nll": loss(lambda x: f.nll_loss(x, labels), logs),
    "binary_cross_entropy": loss(lambda x: f.binary_cross_entropy_with_logits(x, bits.float()), scores),
    "binary_cross_entropy weighted": loss(
        lambda x: f.binary_cross_entropy_with_logits(x, other / 3 + 0.5, pos_weight=torch.tensor(2.5)), scores * 20
    ),
    "l1": loss(lambda x: f.l1_loss(x, other), scores),
    "smooth_l1": loss(lambda x: f.smooth_l1_loss(x, other, beta=0.7), scores),
    "huber": loss(lambda x: f.huber_loss(x, other, delta=1.3), scores),
    "kl_divergence": loss(
        lambda x: f.kl_div(x, probabilities * (probabilities > 0.1), reduction="batchmean"), logs
    ),
    "kl_divergence log": loss(
        lambda x: f.kl_div(x, probabilities.log(), reduction="batchmean", log_target=True), logs
    ),
}

predicted = [max(range(C), key=lambda c: (float(row[c]), -c)) for row in logits]
true = labels.tolist()
hits = [sum(p == t == c for p, t in zip(predicted, true)) for c in range(C)]
found = [sum(p == c for p in predicted) for c in range(C)]
there = [sum(t == c for t in true) for c in range(C)]


def macro(value):
    return sum(value(hits[c], found[c], there[c]) for c in range(C)) / C


def fbeta(beta):
    def value(h, p, t):
        precision, recall = (h / p if p else 0), h / t
        return (1 + beta**2) * precision * recall / (beta**2 * precision + recall) if h else 0

    return value


def top(row, k):
    return sorted(range(C), key=lambda c: (-float(row[c]), c))[:k]


pairs = [(float(a), float(b)) for a, x in zip(scores, bits) if x == 1 for b, y in zip(scores, bits) if y == 0]
wanted = [[c for c in range(C) if relevance[i][c]] for i in range(N)]
gap = scores.double() - other.double()


def r2(x, t):
    return 1 - float(((x - t) ** 2).sum() / ((t - t.mean()) ** 2).sum())


metrics = {
    "accuracy": sum(hits) / N,
    "accuracy binary": sum(int(s > 0) == b for s, b in zip(scores.tolist(), bits.tolist())) / N,
    "top_2_accuracy": sum(true[i] in top(logits[i], 2) for i in range(N)) / N,
    "per_class_accuracy": {**{str(c): hits[c] / there[c] for c in range(C)}, "mean": macro(lambda h, p, t: h / t)},
    "precision": macro(lambda h, p, t: h / p if p else 0),
    "recall_weighted": sum(hits) / N,
    "f2": macro(fbeta(2)),
    "f1_micro": sum(hits) / N,
    "f0.5_weighted": sum(there[c] * fbeta(0.5)(hits[c], found[c], there[c]) for c in range(C)) / N,
    "dice": macro(lambda h, p, t: 2 * h / (p + t)),
    "dice_binary": 2 * sum(s > 0 and b for s, b in zip(scores.tolist(), bits.tolist()))
    / (sum(s > 0 for s in scores.tolist()) + int(bits.sum())),
    "mean_iou": macro(lambda h, p, t: h / (p + t - h)),
    "precision_at_2": sum(len(set(top(logits[i], 2)) & set(wanted[i])) for i in range(N)) / (2 * N),
    "precision_at_3 label": sum(true[i] in top(logits[i], 3) for i in range(N)) / (3 * N),
    "recall_at_2": sum(len(set(top(logits[i], 2)) & set(w)) / len(w) for i, w in enumerate(wanted) if w)
    / sum(1 for w in wanted if w),
    "auc": sum((a > b) + 0.5 * (a == b) for a, b in pairs) / len(pairs),
    "mae": float(gap.abs().mean()),
    "rmse": float((gap**2).mean().sqrt()),
    "mape": float((gap.abs() / other.double().abs()).mean()),
    "r2": r2(scores.double(), other.double()),
    "r2 of several": sum(r2(logits.double()[:, c], probabilities.double()[:, c]) for c in range(C)) / C,
    "confusion_matrix": {
        f"{t}/{p}": sum(a == t and b == p for a, b in zip(true, predicted)) for t in range(C) for p in range(C)
    },
    "perplexity": math.exp(float(f.cross_entropy(logits.double(), labels))),
    "bits_per_character": float(f.cross_entropy(logits.double(), labels)) / math.log(2),
    "mean_huber": float(f.huber_loss(scores.double(), other.double())),
}
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "measures.json"), "w") as file:
    json.dump({"torch": torch.__version__, "losses": losses, "metrics": metrics}, file, separators=(",", ":"))
print("torch", torch.__version__, "written", sum(map(len, wanted)), predicted[:20], file=sys.stderr)
