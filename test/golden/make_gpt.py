"""A small GPT in PyTorch, in float64 so that the result is the same on any machine: writes gpt.json, which test/golden/gpt.test.ts compares
with a stated tolerance. Parameters and inputs are formulas that both sides compute: wave(n, scale)[i] = fround((frac(i · 0.6180339887498949) − 0.5) · scale).
Run with a Python that has torch (Debian: python3-torch)."""
import json
import os

import torch
from torch import nn

torch.set_default_dtype(torch.float64)
vocabulary, context, width, heads, layers, batch, steps = 11, 6, 16, 2, 2, 3, 5


def wave(shape, scale=1.0, shift=0):
    index = torch.arange(torch.Size(shape).numel()) + shift
    value = index * 0.6180339887498949
    return ((value - value.floor() - 0.5) * scale).to(torch.float32).to(torch.float64).reshape(shape)


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)

    def forward(self, x):
        # PyTorch's own module is the oracle, given our weights.
        mask = torch.ones(x.shape[1], x.shape[1]).triu(1).bool()
        return nn.functional.multi_head_attention_forward(
            *[x.transpose(0, 1)] * 3, width, heads, self.qkv.weight, self.qkv.bias, None, None, False, 0.0,
            self.out.weight, self.out.bias, attn_mask=mask, need_weights=False,
        )[0].transpose(0, 1)


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm1, self.attention, self.norm2 = nn.LayerNorm(width), Attention(), nn.LayerNorm(width)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, x):
        x = x + self.attention(self.norm1(x))
        return x + self.mlp(self.norm2(x))


class GPT(nn.Module):
    def __init__(self):
        super().__init__()
        self.token, self.position = nn.Embedding(vocabulary, width), nn.Embedding(context, width)
        self.blocks = nn.Sequential(*[Block() for _ in range(layers)])
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, vocabulary)

    def forward(self, tokens):
        return self.head(self.norm(self.blocks(self.token(tokens) + self.position.weight)))


def listed(tensor):
    return [float(f"{float(v):.9g}") for v in tensor.detach().reshape(-1)]


model = GPT()
named = list(model.named_parameters())
with torch.no_grad():
    for i, (name, parameter) in enumerate(named):
        parameter.copy_(wave(parameter.shape, 0.6, 100 * i) + (1.0 if "norm" in name and name.endswith("weight") else 0.0))
index = torch.arange(batch * context).reshape(batch, context)
inputs, targets = index * 7 % vocabulary, index * 5 % vocabulary
optimizer = torch.optim.AdamW(
    [
        {"params": [p for _, p in named if p.dim() >= 2], "weight_decay": 0.1},
        {"params": [p for _, p in named if p.dim() < 2], "weight_decay": 0.0},
    ],
    lr=3e-3,
)
golden = {"torch": torch.__version__, "losses": []}
for step in range(steps):
    optimizer.zero_grad()
    logits = model(inputs)
    loss = nn.functional.cross_entropy(logits.reshape(-1, vocabulary), targets.reshape(-1))
    loss.backward()
    if step == 0:
        golden["logits"] = listed(logits)
        golden["gradients"] = {name: listed(parameter.grad)[::3] for name, parameter in named}
    golden["losses"].append(float(loss))
    optimizer.step()
golden["parameters"] = {name: listed(parameter)[::3] for name, parameter in named}
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "gpt.json"), "w") as file:
    json.dump(golden, file, separators=(",", ":"))
