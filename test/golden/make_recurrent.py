#!/usr/bin/env python3
"""Writes recurrent.json for test/golden/recurrent.test.ts: nn.RNN, nn.LSTM, nn.GRU of PyTorch, their outputs, final states and gradients.

Inputs are wave(n, scale, shift), the formula of make_torch.py; the loss is the sum of outputs times wave(n, 1, 101) and of final states times wave(n, 1, 57).
"""
import json
import math
import os

import torch

torch.set_num_threads(1)
nn = torch.nn
ratio = 0.6180339887498949


def wave(shape, scale=1.0, shift=0):
    value = (torch.arange(math.prod(shape), dtype=torch.float64) + shift) * ratio
    return ((value - value.floor() - 0.5) * scale).to(torch.float32).reshape(shape)


def flat(x):
    return [float(f"{float(v):.7g}") for v in x.detach().reshape(-1)]


def case(kind, lengths=None, **options):
    module = kind(3, 4, batch_first=True, **options)
    for i, parameter in enumerate(module.parameters()):
        parameter.data = wave(parameter.shape, 1.5, 31 + 7 * i)
    x = wave([2, 5, 3], 3.0, 5).requires_grad_()
    directions = 2 if options.get("bidirectional") else 1
    states = [wave([options.get("num_layers", 1) * directions, 2, 4], 1.0, 11 + i).requires_grad_() for i in range(2 if kind is nn.LSTM else 1)]
    given = tuple(states) if kind is nn.LSTM else states[0]
    if lengths:
        packed = nn.utils.rnn.pack_padded_sequence(x, torch.tensor(lengths), batch_first=True, enforce_sorted=False)
        y, final = module(packed, given)
        y = nn.utils.rnn.pad_packed_sequence(y, batch_first=True, total_length=5)[0]
    else:
        y, final = module(x, given)
    finals = list(final) if kind is nn.LSTM else [final]
    loss = (y * wave(y.shape, 1.0, 101)).sum()
    for each in finals:
        loss = loss + (each * wave(each.shape, 1.0, 57)).sum()
    loss.backward()
    return {
        "names": [name for name, _ in module.named_parameters()],
        "output": flat(y),
        "states": [flat(each) for each in finals],
        "gradient": flat(x.grad),
        "state_gradients": [flat(each.grad) for each in states],
        "parameters": [flat(parameter.grad) for parameter in module.parameters()],
    }


both = {"num_layers": 2, "bidirectional": True}
cases = {
    "rnn": case(nn.RNN),
    "rnn relu": case(nn.RNN, nonlinearity="relu", num_layers=2),
    "rnn both ways": case(nn.RNN, **both),
    "lstm": case(nn.LSTM),
    "lstm both ways": case(nn.LSTM, **both),
    "lstm both ways, packed": case(nn.LSTM, [5, 3], **both),
    "lstm without bias": case(nn.LSTM, bias=False),
    "gru": case(nn.GRU),
    "gru both ways": case(nn.GRU, **both),
    "gru both ways, packed": case(nn.GRU, [2, 5], **both),
    "gru without bias": case(nn.GRU, bias=False, num_layers=2),
}
path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "recurrent.json")
with open(path, "w") as file:
    json.dump({"torch": torch.__version__.split("+")[0], "cases": cases}, file, separators=(",", ":"))
    file.write("\n")
