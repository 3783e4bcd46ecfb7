"""A small convolutional network in PyTorch, in float64: writes cnn.json, which test/golden/cnn.test.ts compares with a stated tolerance. Parameters and
inputs are the formula that make_gpt.py states. Run with a Python that has torch (Debian: python3-torch)."""
import json
import os

import torch
from torch import nn

torch.set_default_dtype(torch.float64)
batch, classes, steps = 4, 5, 5


def wave(shape, scale=1.0, shift=0):
    index = torch.arange(torch.Size(shape).numel()) + shift
    value = index * 0.6180339887498949
    return ((value - value.floor() - 0.5) * scale).to(torch.float32).to(torch.float64).reshape(shape)


def listed(tensor, step=1):
    return [float(f"{float(v):.9g}") for v in tensor.detach().reshape(-1)[::step]]


# Names are those of nn.sequential with unflatten in front.
model = nn.Sequential(
    nn.Identity(), nn.Conv2d(2, 4, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
    nn.Conv2d(4, 6, 3, stride=2, padding=2), nn.ReLU(), nn.MaxPool2d(3, stride=1, padding=1), nn.Flatten(), nn.Linear(72, classes),
)
named = list(model.named_parameters())
with torch.no_grad():
    for i, (_, parameter) in enumerate(named):
        parameter.copy_(wave(parameter.shape, 0.8, 100 * i))
inputs, targets = wave([batch, 2, 9, 10], 3.0, 7), torch.arange(batch) * 2 % classes
optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
golden = {"torch": torch.__version__, "losses": []}
for step in range(steps):
    optimizer.zero_grad()
    logits = model(inputs)
    loss = nn.functional.cross_entropy(logits, targets)
    loss.backward()
    if step == 0:
        golden["logits"] = listed(logits)
        golden["gradients"] = {name: listed(parameter.grad) for name, parameter in named}
    golden["losses"].append(float(loss))
    optimizer.step()
golden["parameters"] = {name: listed(parameter, 3) for name, parameter in named}
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "cnn.json"), "w") as file:
    json.dump(golden, file, separators=(",", ":"))
