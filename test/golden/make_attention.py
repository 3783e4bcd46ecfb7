#!/usr/bin/env python3
"""Writes attention.json for test/golden/attention.test.ts: PyTorch's attention, its layers with their weights, and positions by their formulas in float64.

Inputs are wave(n, scale, shift), the formula of make_torch.py; parameter i of a layer is wave(n, 0.6, 31 + 7i) (norms' weights: 1 + that); the loss is
the sum of outputs times wave(n, 1, 101).
"""
import json
import math
import os
import sys

import torch

torch.set_num_threads(1)
nn, f = torch.nn, torch.nn.functional
ratio = 0.6180339887498949


def wave(shape, scale=1.0, shift=0):
    value = (torch.arange(math.prod(shape), dtype=torch.float64) + shift) * ratio
    return ((value - value.floor() - 0.5) * scale).to(torch.float32).reshape(shape)


def flat(x):
    return [float(f"{float(v):.7g}") for v in x.detach().reshape(-1)]


def record(function, inputs, parameters=()):
    inputs = [x.clone().requires_grad_() for x in inputs]
    y = function(*inputs)
    (y * wave(y.shape, 1.0, 101)).sum().backward()
    return {
        "output": flat(y),
        "gradients": [flat(x.grad) for x in inputs],
        "parameters": [flat(p.grad) for p in parameters],
    }


def given(module):
    for i, (name, parameter) in enumerate(module.named_parameters()):
        base = 1.0 if "norm" in name and name.endswith("weight") else 0.0
        parameter.data = base + wave(parameter.shape, 0.6, 31 + 7 * i)
    return module.eval()


def sdpa(q, k, v, **options):
    return record(lambda *x: f.scaled_dot_product_attention(*x, **options), [wave(q, 3, 1), wave(k, 3, 2), wave(v, 2, 3)])


mask = wave([4, 5], 1.0, 6) > -0.2
mask[2] = False
heads = [2, 3, 4, 6]
cases = {
    "plain": sdpa(heads, [2, 3, 5, 6], [2, 3, 5, 2]),
    "scale": sdpa(heads, [2, 3, 5, 6], [2, 3, 5, 2], scale=0.3),
    "causal": sdpa(heads, heads, heads, is_causal=True),
    "boolean mask, a row of it false": sdpa(heads, [2, 3, 5, 6], [2, 3, 5, 6], attn_mask=mask),
    "additive mask of batches": sdpa(heads, [2, 3, 5, 6], [2, 3, 5, 6], attn_mask=wave([2, 1, 1, 5], 4.0, 8)),
    "fewer heads of keys": sdpa([2, 4, 3, 6], [2, 2, 5, 6], [2, 2, 5, 6], enable_gqa=True),
}

x, memory = wave([2, 4, 8], 2.0, 12), wave([2, 5, 8], 2.0, 13)
unseen = wave([2, 5], 1.0, 14) < -0.2
future = nn.Transformer.generate_square_subsequent_mask(4)
attention = given(nn.MultiheadAttention(8, 2, batch_first=True))
cases["layer"] = record(lambda a: attention(a, a, a, need_weights=False)[0], [x], list(attention.parameters()))
attention = given(nn.MultiheadAttention(8, 2, batch_first=True))
cases["layer, memory, key mask"] = record(
    lambda a, m: attention(a, m, m, key_padding_mask=unseen, need_weights=False)[0], [x, memory], list(attention.parameters())
)
options = {"d_model": 8, "nhead": 2, "dim_feedforward": 12, "dropout": 0.0, "batch_first": True}
for name, more in {"encoder layer": {}, "encoder layer, norms first": {"norm_first": True, "activation": "gelu"}}.items():
    layer = given(nn.TransformerEncoderLayer(**options, **more))
    cases[name] = record(lambda a: layer(a, src_key_padding_mask=unseen[:, :4]), [x], list(layer.parameters()))
for name, more in {"decoder layer": {}, "decoder layer, norms first": {"norm_first": True}}.items():
    layer = given(nn.TransformerDecoderLayer(**options, **more))
    cases[name] = record(
        lambda a, m: layer(a, m, tgt_mask=future, memory_key_padding_mask=unseen), [x, memory], list(layer.parameters())
    )

at = torch.arange(7, dtype=torch.float64)[:, None]
angles = at / 10000 ** (torch.arange(4, dtype=torch.float64) / 4)
sinusoidal = torch.stack([angles.sin(), angles.cos()], -1).reshape(7, 8).float()
cosines, sines = (torch.cat([t, t], -1).float() for t in (angles.cos(), angles.sin()))
cases["sinusoidal"] = record(lambda a: a + sinusoidal, [wave([2, 7, 8], 2.0, 15)])
cases["rotary"] = record(
    lambda a: a * cosines + torch.cat([-a[..., 4:], a[..., :4]], -1) * sines, [wave([2, 3, 7, 8], 2.0, 16)]
)
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "attention.json"), "w") as file:
    json.dump({"torch": torch.__version__, "cases": cases}, file, separators=(",", ":"))
print("torch", torch.__version__, unseen, mask, [n for n, _ in layer.named_parameters()], file=sys.stderr)
