"""Pooling by the maximum in PyTorch over small integers, so that ties are common and every sum is exact: writes pool.json, which test/golden/pool.test.ts
compares bit by bit. Run with a Python that has torch (Debian: python3-torch)."""
import json
import os

import torch

cases = [
    {"shape": [2, 3, 6, 8], "size": 2, "stride": 2, "padding": 0},
    {"shape": [1, 2, 7, 9], "size": 2, "stride": 2, "padding": 0},
    {"shape": [1, 2, 7, 9], "size": 2, "stride": 2, "padding": 1},
    {"shape": [2, 2, 6, 7], "size": 3, "stride": 1, "padding": 1},
    {"shape": [1, 3, 8, 9], "size": 3, "stride": 2, "padding": 1},
    {"shape": [1, 2, 9, 10], "size": 3, "stride": 3, "padding": 0},
    {"shape": [1, 1, 9, 8], "size": 4, "stride": 3, "padding": 2},
    {"shape": [1, 2, 6, 5], "size": 2, "stride": 3, "padding": 0},
]


def scattered(shape, below, least):
    index = torch.arange(torch.Size(shape).numel())
    return (index * 7919 % 104729 % below + least).to(torch.float32).reshape(shape)


golden = {"torch": torch.__version__, "cases": []}
for case in cases:
    # Two in five elements are 0, as after a ReLU.
    x = scattered(case["shape"], 5, -1).clamp(min=0).requires_grad_()
    y = torch.nn.functional.max_pool2d(x, case["size"], case["stride"], case["padding"])
    (y * scattered(y.shape, 13, 1)).sum().backward()
    golden["cases"].append({**case, "values": y.to(int).reshape(-1).tolist(), "gradients": x.grad.to(int).reshape(-1).tolist()})
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "pool.json"), "w") as file:
    json.dump(golden, file, separators=(",", ":"))
