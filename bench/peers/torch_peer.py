"""PyTorch on the CPU as a peer: `torch_peer.py TORCH_THREADS BLAS_THREADS`. One JSON command a line on stdin, one answer a line on stdout behind an @.
OpenBLAS has threads of its own, which torch.set_num_threads doesn't reach: both are set before torch is loaded. Results go to memory that is there
already (out=) where torch has that."""
import hashlib
import json
import os
import sys
import time

threads, blas_threads = int(sys.argv[1]), int(sys.argv[2])
os.environ.update(OPENBLAS_NUM_THREADS=str(blas_threads), OMP_NUM_THREADS=str(threads), MKL_NUM_THREADS=str(threads))
import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

torch.set_num_threads(threads)


class Cannot(Exception):
    pass


def words(count, start):
    """The recurrence of workloads.ts, all at once: doubling the stretch that is known."""
    a, c = np.uint32(1664525), np.uint32(1013904223)
    out = np.empty(count, np.uint32)
    with np.errstate(over="ignore"):
        out[0] = np.uint32(start) * a + c
        known, step_a, step_c = 1, a, c
        while known < count:
            more = min(known, count - known)
            out[known : known + more] = out[:more] * step_a + step_c
            step_c = step_c * step_a + step_c
            step_a = step_a * step_a
            known += more
    return out >> np.uint32(8)


def fill(shape, place, low=None, high=None, below=None):
    raw = words(int(np.prod(shape)), 12345 + place)
    if below is not None:
        return torch.from_numpy((raw % np.uint32(below)).astype(np.int64).reshape(shape))
    values = low + raw.astype(np.float64) * ((high - low) / 2**24)
    return torch.from_numpy(values.astype(np.float32).reshape(shape))


def kernel(w):
    """A function that computes the workload's result, and whether its bits mean anything."""
    kind = w["kind"]
    if kind == "matmul":
        batch = [w["batch"]] if w.get("batch") else []
        m, k, n, form = w["rows"], w["depth"], w["columns"], w["form"]
        a = fill(batch + ([k, m] if form == "tn" else [m, k]), 0, -1, 1)
        b = fill(batch + ([n, k] if form == "nt" else [k, n]), 1, -1, 1)
        out = torch.empty(batch + [m, n])
        left = a.transpose(-1, -2) if form == "tn" else a
        right = b.transpose(-1, -2) if form == "nt" else b
        return lambda: torch.matmul(left, right, out=out)
    if kind == "conv2d":
        x = fill([w["batch"], w["inputs"], w["extent"], w["extent"]], 0, -1, 1)
        filters = fill([w["outputs"], w["inputs"], 3, 3], 1, -1, 1)
        return lambda: F.conv2d(x, filters, padding=1)
    if kind == "elementwise":
        low, high = w["range"]
        xs = [fill([w["count"]], i, low, high) for i in range(w["operands"])]
        out = torch.empty(w["count"])
        if w["op"] == "relu":
            return lambda: torch.clamp_min(xs[0], 0, out=out)
        fn = getattr(torch._C._nn, w["op"], None) or getattr(torch, w["op"], None)
        if fn is None:
            raise Cannot("no op " + w["op"])
        return lambda: fn(*xs, out=out)
    if kind == "chain":
        a, b = fill([w["count"]], 0, -1, 1), fill([w["count"]], 1, -1, 1)
        return lambda: a.mul(b).add_(a).sub_(0.5).mul_(b).clamp_min_(0)
    if kind in ("sum", "softmax", "layerNorm"):
        rows, columns = w["rows"], w["columns"]
        x = fill([rows, columns], 0, -4, 4)
        if kind == "sum":
            return (lambda: x.sum()) if w["axis"] == "all" else (lambda: x.sum(w["axis"]))
        if kind == "softmax":
            out = torch.empty_like(x)
            return lambda: torch._softmax(x, -1, False, out=out)
        weight, bias = torch.ones(columns), torch.zeros(columns)
        return lambda: F.layer_norm(x, (columns,), weight, bias)
    if kind == "gather":
        table = fill([w["rows"], w["columns"]], 0, -1, 1)
        indices = fill([w["count"]], 1, below=w["rows"])
        out = torch.empty(w["count"], w["columns"])
        return lambda: torch.index_select(table, 0, indices, out=out)
    if kind == "scatter":
        indices = fill([w["count"]], 0, below=w["rows"])
        updates = fill([w["count"], w["columns"]], 1, -1, 1)
        out = torch.empty(w["rows"], w["columns"])
        return lambda: out.zero_().index_add_(0, indices, updates)
    if kind == "family":
        operands = [
            fill(o["shape"], i, *o.get("range", (None, None)), below=o.get("below")) for i, o in enumerate(w["operands"])
        ]
        program = FAMILIES.get(w["name"])
        if program is None:
            raise Cannot("no program for " + w["name"])
        return lambda: program(*operands)
    out = torch.empty(w["count"])
    if kind == "uniform":
        return lambda: out.uniform_()
    if kind == "normal":
        return lambda: out.normal_()
    if kind == "permutation":
        return lambda: torch.randperm(w["count"])
    raise Cannot("no " + kind)


def differentiated(program):
    """Gradients of the sum of program(...)·g by all but the last operand, g."""

    def run(*operands):
        own = [each.detach().requires_grad_() for each in operands[:-1]]
        return torch.autograd.grad(program(*own), own, operands[-1])

    return run


def of_loss(loss):
    def run(x, targets):
        x = x.detach().requires_grad_()
        return torch.autograd.grad(loss(x, targets), x)

    return run


def batch_norm(x, weight, bias):
    return F.batch_norm(x, None, None, weight, bias, training=True)


def depthwise(x, filters):
    return F.conv2d(x, filters, padding=1, groups=64)


def definite(x):
    return x @ x.mT + x.shape[2] * torch.eye(x.shape[2])


def ctc(x, targets):
    batch, time = x.shape[:2]
    lengths = torch.full((batch,), time), torch.full((batch,), targets.shape[1])
    return F.ctc_loss(x.transpose(0, 1).log_softmax(-1), targets + 1, *lengths)


# What cases/families.ts computes, by the same names.
FAMILIES = {
    "batch-norm": batch_norm,
    "batch-norm-gradient": differentiated(batch_norm),
    "group-norm": lambda x, weight, bias: F.group_norm(x, 8, weight, bias),
    "rms-norm": lambda x, weight: F.rms_norm(x, (1024,), weight, 1e-5),
    "conv1d": lambda x, filters: F.conv1d(x, filters, padding=2),
    "depthwise": depthwise,
    "depthwise-gradient": differentiated(depthwise),
    "conv-transpose2d": lambda x, filters: F.conv_transpose2d(x, filters, stride=2, padding=1),
    "max-pool2d": lambda x: F.max_pool2d(x, 2),
    "average-pool2d": lambda x: F.avg_pool2d(x, 3, 2),
    "interpolate": lambda x: F.interpolate(x, scale_factor=2, mode="bilinear"),
    "attention": lambda q, k, v: F.scaled_dot_product_attention(q, k, v, is_causal=True),
    "sort": lambda x: x.sort(stable=True)[0],
    "top-k": lambda x: x.topk(10)[0],
    "cumsum": lambda x: x.cumsum(1),
    "cummax": lambda x: x.cummax(1)[0],
    "log-cum-sum-exp": lambda x: x.logcumsumexp(1),
    "prod": lambda x: x.prod(1),
    "log-sum-exp": lambda x: x.logsumexp(1),
    "histogram": lambda x: torch.histc(x, 64, -1, 1),
    "bincount": lambda x: torch.bincount(x, minlength=64),
    "cholesky": lambda x: torch.linalg.cholesky(definite(x)),
    "solve": lambda a, b: torch.linalg.solve(definite(a), b),
    "qr": torch.linalg.qr,
    "fft": lambda x: torch.fft.fft(torch.view_as_complex(x)),
    "rfft": torch.fft.rfft,
    "einsum": lambda a, b, c: torch.einsum("bij,bjk,bk->bi", a, b, c),
    "cdist": torch.cdist,
    "cross-entropy-gradient": of_loss(F.cross_entropy),
    "ctc-gradient": of_loss(ctc),
}


class Block(nn.Module):
    def __init__(self, width, heads, context):
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.widen, self.narrow = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
        self.register_buffer("later", torch.ones(context, context).triu(1).bool())

    def attend(self, x):
        batch, length, width = x.shape
        parts = self.qkv(x).split(width, 2)
        q, k, v = (part.view(batch, length, self.heads, -1).transpose(1, 2) for part in parts)
        scores = (q @ k.transpose(-2, -1)) * (width // self.heads) ** -0.5
        weights = scores.masked_fill(self.later, float("-inf")).softmax(-1)
        return self.out((weights @ v).transpose(1, 2).reshape(batch, length, width))

    def forward(self, x):
        x = x + self.attend(self.norm1(x))
        return x + self.narrow(F.gelu(self.widen(self.norm2(x))))


class Gpt(nn.Module):
    def __init__(self, vocabulary, width, heads, layers, context):
        super().__init__()
        self.token, self.position = nn.Embedding(vocabulary, width), nn.Embedding(context, width)
        self.blocks = nn.Sequential(*[Block(width, heads, context) for _ in range(layers)])
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, vocabulary)

    def forward(self, tokens):
        return self.head(self.norm(self.blocks(self.token(tokens) + self.position.weight)))


class Lstm(nn.Module):
    def __init__(self, width, layers, classes):
        super().__init__()
        self.recurrent, self.head = nn.LSTM(width, width, layers, batch_first=True), nn.Linear(width, classes)

    def forward(self, x):
        return self.head(self.recurrent(x)[0])


def training(w):
    if w["kind"] == "gpt":
        sizes = {name: w[name] for name in ("vocabulary", "width", "heads", "layers", "context")}
        model, name = Gpt(**sizes), "adamW"
        x, y = (fill([w["batch"], w["context"]], place, below=w["vocabulary"]) for place in (0, 1))
    elif w["kind"] == "lstm":
        model, name = Lstm(w["width"], w["layers"], w["classes"]), "adam"
        x = fill([w["batch"], w["length"], w["width"]], 0, -1, 1)
        y = fill([w["batch"], w["length"]], 1, below=w["classes"])
    elif w["kind"] == "cnn":
        channels, layers, name = [1] + w["channels"], [], "adam"
        for inputs, outputs in zip(channels, channels[1:]):
            layers += [nn.Conv2d(inputs, outputs, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)]
        left = w["extent"] // 2 ** len(w["channels"])
        model = nn.Sequential(*layers, nn.Flatten(), nn.Linear(channels[-1] * left * left, w["classes"]))
        x = fill([w["batch"], 1, w["extent"], w["extent"]], 0, -1, 1)
        y = fill([w["batch"]], 1, below=w["classes"])
    else:
        sizes, name, layers = w["sizes"], w["optimizer"], []
        for i in range(1, len(sizes)):
            if i > 1:
                layers.append(nn.ReLU())
                if w["dropout"] > 0:
                    layers.append(nn.Dropout(w["dropout"]))
            layers.append(nn.Linear(sizes[i - 1], sizes[i]))
        model = nn.Sequential(*layers)
        x, y = fill([w["batch"], sizes[0]], 0, -1, 1), fill([w["batch"]], 1, below=sizes[-1])
    make = {
        "sgd": lambda p: torch.optim.SGD(p, 0.1, momentum=0.9),
        "adam": lambda p: torch.optim.Adam(p, 1e-3),
        "adamW": lambda p: torch.optim.AdamW(p, 1e-3),
    }[name]
    optimizer = make(model.parameters())

    def step():
        optimizer.zero_grad()
        logits = model(x)
        loss = F.cross_entropy(logits.reshape(-1, logits.shape[-1]), y.reshape(-1))
        loss.backward()
        optimizer.step()

    return step


def bits(result):
    first = result[0] if isinstance(result, tuple) else result
    data = first.detach().contiguous().numpy()
    if data.dtype == np.float32:
        data = np.where(np.isnan(data), np.float32(np.nan), data)
    return hashlib.sha256(data.tobytes()).hexdigest()[:16]


run, comparable = None, False


def obey(command):
    global run, comparable
    if command["do"] == "prepare":
        w = command["workload"]
        trains = w["kind"] in ("mlp", "cnn", "lstm", "gpt")
        comparable = not trains and w["kind"] not in ("uniform", "normal", "permutation")
        torch.manual_seed(0)
        run = training(w) if trains else kernel(w)
        return {}
    if command["do"] == "run":
        start = time.perf_counter()
        for _ in range(command["calls"]):
            run()
        return {"ms": (time.perf_counter() - start) * 1e3 / command["calls"]}
    if command["do"] == "bits":
        return {"bits": bits(run()) if comparable else ""}
    run = None
    return {}


def answer(message):
    sys.stdout.write("@" + json.dumps(message) + "\n")
    sys.stdout.flush()


answer({"version": "PyTorch " + torch.__version__})
for line in sys.stdin:
    try:
        with torch.enable_grad():
            answer(obey(json.loads(line)))
    except Cannot as error:
        answer({"cannot": str(error)})
    except Exception as error:  # what torch throws ends the case, not the process
        answer({"error": str(error).split("\n")[0][:200]})
