#!/usr/bin/env python3
"""Writes linalg.json for test/golden/linalg.test.ts: linear algebra in float64 by PyTorch, values and gradients.

Inputs are wave(n, scale, shift), the formula of make_torch.py, operand i shifted by 7·i; "definite" ones are x · xᵀ + 1, "symmetric" ones x + xᵀ, "singular" ones have their first column as their last too, "triangular" ones and others of 17 rows have 2 added to
their diagonal. The gradient is that of Σ wave · result, or of a result that signs don't change where those are free.
"""
import json
import math
import os

import torch

torch.set_num_threads(1)
ratio = 0.6180339887498949
linalg = torch.linalg


def wave(shape, scale=2.0, shift=0):
    value = (torch.arange(math.prod(shape), dtype=torch.float64) + shift) * ratio
    value = value * value  # A plain wave's matrices are of rank 2 or 3.
    return ((value - value.floor() - 0.5) * scale).to(torch.float32).reshape(shape)


forms = {
    "": lambda x: x,
    "definite": lambda x: x @ x.mT + torch.eye(x.shape[-1]),
    "symmetric": lambda x: x + x.mT,
    "triangular": lambda x: x + 2 * torch.eye(x.shape[-1]),
    "singular": lambda x: torch.cat([x[..., :-1], x[..., :1]], -1),
}


def vectors(v):
    """Outer products of the columns: what signs don't change. [..., rows, k] to [..., k, rows, rows]."""
    columns = v.mT
    return columns[..., :, None] * columns[..., None, :]


def triangular(upper, unit):
    return lambda a, b: linalg.solve_triangular(a.triu() if upper else a.tril(), b, upper=upper, unitriangular=unit)


def singular(x):
    """uₖ · vₖᵀ: what signs don't change. [..., m, n] to [..., k, m, n]."""
    u, _, vh = linalg.svd(x, full_matrices=False)
    return torch.einsum("...ik,...kj->...kij", u, vh)


cases = {
    "cholesky 1": ("definite", [[1, 1]], linalg.cholesky),
    "cholesky 3": ("definite", [[2, 3, 3]], linalg.cholesky),
    "cholesky 17": ("definite", [[17, 17]], linalg.cholesky),
    "triangularSolve lower": ("triangular", [[2, 3, 3], [3, 2]], triangular(False, False)),
    "triangularSolve upper": ("triangular", [[5, 5], [2, 5, 1]], triangular(True, False)),
    "triangularSolve lower unit": ("triangular", [[3, 3], [3, 2]], triangular(False, True)),
    "triangularSolve upper unit": ("triangular", [[3, 3], [3, 2]], triangular(True, True)),
    "solve": ("", [[2, 3, 3], [3, 2]], linalg.solve),
    "solve of a vector": ("", [[2, 5, 5], [5]], linalg.solve),
    "solve 17": ("triangular", [[17, 17], [17, 1]], linalg.solve),
    "inverse": ("", [[2, 3, 3]], linalg.inv),
    "inverse 5": ("", [[5, 5]], linalg.inv),
    "det": ("", [[2, 3, 3]], linalg.det),
    "det 1": ("", [[1, 1]], linalg.det),
    "det 5": ("", [[5, 5]], linalg.det),
    "det of singular ones": ("singular", [[2, 3, 3]], linalg.det),
    "det of a singular one 5": ("singular", [[5, 5]], linalg.det),
    "slogdet": ("", [[2, 5, 5]], lambda x: linalg.slogdet(x).logabsdet),
    "sign of slogdet": ("", [[4, 3, 3]], lambda x: linalg.slogdet(x).sign + 0 * x.sum()),
    "lu p": ("", [[2, 5, 5]], lambda x: linalg.lu(x).P + 0 * x.sum()),
    "lu l": ("", [[2, 5, 5]], lambda x: linalg.lu(x).L),
    "lu u": ("", [[2, 5, 5]], lambda x: linalg.lu(x).U),
    "qr q": ("", [[2, 5, 3]], lambda x: linalg.qr(x).Q),
    "qr r": ("", [[2, 5, 3]], lambda x: linalg.qr(x).R),
    "qr q of a square": ("", [[3, 3]], lambda x: linalg.qr(x).Q),
    "qr r of a wide one": ("", [[2, 4]], lambda x: linalg.qr(x).R),
    "lstsq": ("", [[2, 5, 3], [5, 2]], lambda a, b: linalg.pinv(a) @ b),
    "lstsq of a wide one": ("", [[3, 5], [3]], lambda a, b: linalg.pinv(a) @ b),
    "eigenvalues": ("symmetric", [[2, 4, 4]], linalg.eigvalsh),
    "eigenvalues 17": ("symmetric", [[17, 17]], linalg.eigvalsh),
    "eigenvectors": ("symmetric", [[2, 3, 3]], lambda x: vectors(linalg.eigh(x).eigenvectors)),
    "singular values": ("", [[2, 5, 3]], lambda x: linalg.svdvals(x)),
    "singular values 17": ("triangular", [[17, 17]], lambda x: linalg.svdvals(x)),
    "singular vectors": ("", [[3, 3]], singular),
    "singular vectors of a tall one": ("", [[4, 2]], singular),
    "singular vectors of a wide one": ("", [[2, 4]], singular),
    "pinverse": ("", [[2, 4, 3]], linalg.pinv),
    "pinverse of a wide one": ("", [[3, 5]], linalg.pinv),
    "matrixPower 3": ("", [[2, 3, 3]], lambda x: linalg.matrix_power(x, 3)),
    "matrixPower -2": ("", [[3, 3]], lambda x: linalg.matrix_power(x, -2)),
}


def rounded(tensor):
    return [float(f"{float(v):.7g}") for v in tensor.detach().reshape(-1)]


def run(form, shapes, apply):
    inputs = [wave(shape, shift=3 + 7 * i).double().requires_grad_() for i, shape in enumerate(shapes)]
    out = apply(forms[form](inputs[0]), *inputs[1:])
    out.backward(wave(list(out.shape), shift=29).double())
    return {
        "form": form,
        "shapes": shapes,
        "result": list(out.shape),
        "value": rounded(out),
        "gradients": [rounded(x.grad) for x in inputs],
    }


torch.set_default_dtype(torch.float64)
written = {"torch": torch.__version__, "cases": {name: run(*case) for name, case in cases.items()}}
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "linalg.json"), "w") as file:
    json.dump(written, file, separators=(",", ":"))
