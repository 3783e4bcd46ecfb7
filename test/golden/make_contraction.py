#!/usr/bin/env python3
"""Writes contraction.json for test/golden/contraction.test.ts: einsum, tensordot and friends, and Fourier transforms, in float64 by NumPy and PyTorch, values and gradients.

Inputs are wave(n, scale, shift), the formula of make_torch.py, operand i shifted by 7·i; the gradient is that of Σ wave · result.
"""
import json
import math
import os

import numpy as np
import torch

torch.set_num_threads(1)
ratio = 0.6180339887498949


def wave(shape, scale=2.0, shift=0):
    value = (torch.arange(math.prod(shape), dtype=torch.float64) + shift) * ratio
    return ((value - value.floor() - 0.5) * scale).to(torch.float32).reshape(shape)


equations = [
    ("ij,jk->ik", [2, 3], [3, 4]),
    ("ij,jk", [2, 3], [3, 4]),
    ("ba,cb", [2, 3], [4, 2]),
    ("bij,bjk->bik", [2, 3, 4], [2, 4, 2]),
    ("bhqd,bhkd->bhqk", [2, 2, 3, 4], [2, 2, 5, 4]),
    ("bqhd,bkhd->bhqk", [2, 3, 2, 4], [2, 5, 2, 4]),
    ("i,i", [5], [5]),
    ("i,j->ij", [3], [4]),
    ("i,j->ji", [3], [4]),
    ("ii", [4, 4]),
    ("ii->i", [4, 4]),
    ("iij->j", [3, 3, 2]),
    ("iji->ij", [3, 2, 3]),
    ("ij->ji", [2, 3]),
    ("ij->", [2, 3]),
    ("ij->j", [2, 3]),
    ("ji", [2, 3]),
    ("...ij,...jk->...ik", [2, 3, 4], [5, 1, 4, 2]),
    ("...ij->...ji", [2, 1, 3, 4]),
    ("i...,i...", [3, 2], [3, 1]),
    ("...i,i", [2, 3, 4], [4]),
    ("i...->...", [3, 2]),
    ("...,...", [2, 3], [3]),
    ("...ii->...i", [2, 3, 3]),
    ("ij,j,jk->ik", [2, 3], [3], [3, 2]),
    ("ij,jk,kl->il", [2, 3], [3, 4], [4, 2]),
    ("bn,anm,bm->ba", [2, 3], [4, 3, 5], [2, 5]),
    ("ijk,ijk->ik", [2, 3, 4], [2, 3, 4]),
    ("ij,ij->ij", [2, 3], [2, 1]),
    ("ij,kl->", [2, 3], [2, 2]),
    ("ii,ij->j", [3, 3], [3, 2]),
    ("ab,bc,ab->c", [2, 3], [3, 2], [2, 3]),
    (",ij->ij", [], [2, 3]),
    ("Ab,bA->A", [2, 3], [3, 2]),
    ("bA", [2, 3]),
    (" i j , j k -> k i ", [2, 3], [3, 2]),
]
pairs = {
    "tensordot of 1": ([2, 3, 4], [4, 3], lambda a, b: torch.tensordot(a, b, 1)),
    "tensordot of 2": ([2, 3, 4], [3, 4, 2], lambda a, b: torch.tensordot(a, b, 2)),
    "tensordot of 0": ([2, 3], [2], lambda a, b: torch.tensordot(a, b, 0)),
    "tensordot of lists": ([2, 3, 4], [4, 5, 2], lambda a, b: torch.tensordot(a, b, [[0, 2], [2, 0]])),
    "tensordot of all": ([2, 3], [3, 2], lambda a, b: torch.tensordot(a, b, [[0, 1], [1, 0]])),
    "outer": ([3], [4], torch.outer),
    "dot": ([17], [17], torch.dot),
    "inner": ([2, 3], [4, 3], torch.inner),
    "kron": ([2, 3], [3, 2], torch.kron),
    "kron of other ranks": ([2], [3, 1, 2], torch.kron),
    "cross": ([4, 3], [4, 3], lambda a, b: torch.linalg.cross(a, b)),
    "cross along an axis": ([3, 2], [3, 1], lambda a, b: torch.linalg.cross(a, b, dim=0)),
    "cdist": ([2, 4, 3], [2, 5, 3], lambda a, b: (a[:, :, None] - b[:, None]).square().sum(-1).sqrt()),
}


def complex_of(x):
    return torch.view_as_complex(x.contiguous())


def real_of(x):
    return torch.view_as_real(x)


lengths = [1, 2, 3, 4, 5, 7, 8, 12, 17, 30, 49, 64]
transforms = {"fft 131": ([131, 2], lambda x: real_of(torch.fft.fft(complex_of(x))))}
for n in lengths:
    transforms[f"fft {n}"] = ([2, n, 2], lambda x: real_of(torch.fft.fft(complex_of(x))))
    transforms[f"ifft {n}"] = ([2, n, 2], lambda x: real_of(torch.fft.ifft(complex_of(x))))
    transforms[f"rfft {n}"] = ([2, n], lambda x: real_of(torch.fft.rfft(x)))
    transforms[f"irfft {n}"] = ([2, n // 2 + 1, 2], lambda x, n=n: torch.fft.irfft(complex_of(x), n))


def rounded(tensor):
    return [float(f"{float(v):.7g}") for v in tensor.detach().reshape(-1)]


def run(shapes, apply):
    inputs = [wave(shape, shift=3 + 7 * i).double().requires_grad_() for i, shape in enumerate(shapes)]
    out = apply(*inputs)
    out.backward(wave(list(out.shape), shift=29).double())
    return {
        "shapes": shapes,
        "result": list(out.shape),
        "value": rounded(out),
        "gradients": [rounded(x.grad) for x in inputs],
    }


def einsum(equation, *shapes):
    """PyTorch's, whose values must be NumPy's."""
    made = run(list(shapes), lambda *xs: torch.einsum(equation, *xs))
    theirs = np.einsum(equation, *[wave(s, shift=3 + 7 * i).double().numpy() for i, s in enumerate(shapes)])
    assert list(theirs.shape) == made["result"], equation
    assert np.allclose(theirs.reshape(-1), made["value"], rtol=1e-5, atol=1e-6), equation
    return made


written = {
    "torch": torch.__version__,
    "einsum": {equation: einsum(equation, *shapes) for equation, *shapes in equations},
    "pairs": {name: run([a, b], apply) for name, (a, b, apply) in pairs.items()},
    "transforms": {name: run([shape], apply) for name, (shape, apply) in transforms.items()},
}
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "contraction.json"), "w") as file:
    json.dump(written, file, separators=(",", ":"))
