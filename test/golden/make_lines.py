#!/usr/bin/env python3
"""Writes lines.json for test/golden/lines.test.ts: values and gradients of PyTorch's reductions, cumulative ops and sorting.

Inputs are wave(shape, scale, shift), the formula of make_torch.py; a gradient is that of the sum of value · wave(value's shape, 2, 31).
"""
import json
import math
import os

import torch

torch.set_num_threads(1)
ratio = 0.6180339887498949


def wave(shape, scale=1.0, shift=0):
    value = (torch.arange(math.prod(shape), dtype=torch.float64) + shift) * ratio
    return ((value - value.floor() - 0.5) * scale).to(torch.float32).reshape(shape)


def numbers(x):
    return [float(f"{float(v):.9g}") for v in x.detach().reshape(-1)]


def golden(function, x):
    x = x.clone().requires_grad_()
    value = function(x)
    entry = {"value": numbers(value)}
    if value.is_floating_point() and value.requires_grad:
        (value * wave(value.shape, 2, 31)).sum().backward()
        entry["gradient"] = numbers(x.grad)
    return entry


x = wave([5, 7], 4, 3)
zeros = x.clone()
zeros[1, 2] = zeros[1, 5] = zeros[3, 0] = 0
no_row = x.clone()
no_row[3] = 0
ties = (x * 2).round()
cases = {
    "cumsum": golden(lambda x: x.cumsum(0), x),
    "cumprod": golden(lambda x: x.cumprod(1), x),
    "cumprod zeros": golden(lambda x: x.cumprod(1), zeros),
    "cummax": golden(lambda x: x.cummax(1)[0], x),
    "cummax indices": golden(lambda x: x.cummax(1)[1], x),
    "cummin": golden(lambda x: x.cummin(0)[0], x),
    "cummin indices": golden(lambda x: x.cummin(0)[1], x),
    "logCumSumExp": golden(lambda x: (x * 20).logcumsumexp(1), x),
    "prod": golden(lambda x: x.prod(1), x),
    "prod all": golden(lambda x: x.prod(), x),
    "prod zeros": golden(lambda x: x.prod(1), zeros),
    "std": golden(lambda x: x.std(1, correction=1), x),
    "variance": golden(lambda x: x.var(0, correction=1), x),
    "variance 0": golden(lambda x: x.var((0, 1), correction=0), x),
    "norm": golden(lambda x: torch.linalg.vector_norm(x, 2, 1), x),
    "norm 1": golden(lambda x: torch.linalg.vector_norm(x, 1, 0), x),
    "norm max": golden(lambda x: torch.linalg.vector_norm(x, math.inf, 1), x),
    "norm min": golden(lambda x: torch.linalg.vector_norm(x, -math.inf, 1), x),
    "norm 0": golden(lambda x: torch.linalg.vector_norm(x.detach(), 0, 1), zeros),
    "norm 3": golden(lambda x: torch.linalg.vector_norm(x, 3, 1), no_row),
    "norm 0.5": golden(lambda x: torch.linalg.vector_norm(x, 0.5, 0), zeros),
    "norm -1.5": golden(lambda x: torch.linalg.vector_norm(x, -1.5, 1), zeros),
    "logSumExp": golden(lambda x: (x * 30).logsumexp(1), x),
    "any": golden(lambda x: x.any(1), zeros),
    "all": golden(lambda x: x.all(1), zeros),
    "sort": golden(lambda x: x.sort(dim=1, stable=True)[0], x),
    "sort descending": golden(lambda x: x.sort(dim=0, descending=True, stable=True)[0], ties),
    "argsort ties": golden(lambda x: x.argsort(dim=1, stable=True), ties),
    "argsort descending ties": golden(lambda x: x.argsort(dim=1, descending=True, stable=True), ties),
    "topK": golden(lambda x: x.topk(3, 1)[0], x),
    "topK indices": golden(lambda x: x.topk(3, 1)[1], x),
    "topK smallest": golden(lambda x: x.topk(2, 0, largest=False)[0], x),
    "median": golden(lambda x: x.median(1)[0], x),
    "median even": golden(lambda x: x[:4].median(0)[0], x),
    "median all": golden(lambda x: x.median(), x),
    "quantile": golden(lambda x: x.quantile(0.3, 1), x),
    "quantile several": golden(lambda x: x.quantile(torch.tensor([0.0, 0.25, 0.9, 1.0]), 0), x),
    **{
        f"quantile {how}": golden(lambda x, how=how: x.quantile(torch.tensor([0.2, 0.375, 0.625, 0.9]), 0, interpolation=how), x)
        for how in ["lower", "higher", "nearest", "midpoint"]
    },
    "searchSorted": golden(lambda x: torch.searchsorted(ties[0].sort()[0], x.detach()), ties),
    "searchSorted right": golden(lambda x: torch.searchsorted(ties.sort(1)[0], x.detach(), right=True), ties),
    "bincount": golden(lambda x: torch.bincount(x.long().abs().reshape(-1), minlength=9), ties),
    "bincount weights": golden(lambda x: torch.bincount(ties.long().abs().reshape(-1), x.detach().reshape(-1), 9), x),
    "histogram": golden(lambda x: torch.histc(x.detach(), 8, -1.5, 1.75), x),
    "histogram of all": golden(lambda x: torch.histogram(x.detach(), 5)[0], x),
    "histogram by edges": golden(lambda x: torch.histogram(x.detach(), torch.tensor([-1.5, -0.25, 0.5, 2.0]))[0], x),
    "histogram edges": golden(lambda x: torch.histogram(x.detach(), 5)[1], x),
}
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "lines.json"), "w") as file:
    json.dump({"torch": torch.__version__, "cases": cases}, file, separators=(",", ":"))
