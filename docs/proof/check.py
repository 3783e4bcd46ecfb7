#!/usr/bin/env python3
"""Checks proofs of ops, by docs/proof.md alone: python3 check.py FILE… Each is right, WRONG (exit code 1), or REFUSED: an op or field not known here (2)."""
import ctypes, hashlib, io, json, math, struct, sys
from math import inf, nan, prod
class Wrong(Exception): pass
class Refused(Exception): pass
def sha(*parts): return hashlib.sha256(b"".join(parts)).digest()
def pack(form, *numbers): return struct.pack("<" + form, *numbers)
def expect(holds, problem):
    if not holds: raise Wrong(problem)

class Reader(io.BytesIO):
    def number(self, form): return struct.unpack("<" + form, self.read(struct.calcsize("<" + form)))[0]
    def text(self): return self.read(self.number("I")).decode()
    def list(self, read): return [read() for _ in range(self.number("I"))]
    def value(self):
        kinds = [lambda: None, lambda: False, lambda: True, lambda: self.number("q"), lambda: self.number("f"), self.text]
        kinds += [lambda: self.read(self.number("I")), lambda: self.list(self.value), lambda: dict(self.list(lambda: (self.text(), self.value())))]
        return kinds[self.number("B")]()
def graph_of(data):  # its seed, values (each node with what it means), outputs and draws
    r = Reader(data)
    if (form := (r.text(), r.text())) != ("seedgrad/graph/1", "f32-strict/2"): raise Refused(f"a graph of {form}")
    seed, tensor = r.number("Q"), lambda: {"dtype": r.text(), "shape": r.list(lambda: r.number("q"))}
    values = r.list(lambda: {"name": r.text(), **tensor()})
    def node():
        values.append(made := {"op": r.text(), **tensor()})
        start, made["attributes"] = r.tell(), r.value()
        made["key"], made["inputs"] = data[start:r.tell()], r.list(lambda: r.number("I"))
        made["draws"] = (r.number("q"), r.number("q")) if r.number("B") else None
    r.list(node)
    meanings, known = iter(r.list(lambda: r.read(32) if r.number("B") else r.number("I"))), {}
    for value in values:
        if value.get("op", "constant") == "constant": continue
        if value["op"] == "scan": raise Refused("a graph with the op scan")
        # An op with a version has one meaning; an expression has one for each of its attributes and operands' dtypes.
        own = (value["op"], value["key"], *(values[i]["dtype"] for i in value["inputs"]))
        if value["op"] not in known and own not in known:
            meaning = next(meanings)
            known[own if isinstance(meaning, bytes) else value["op"]] = meaning
        value["meaning"] = known.get(value["op"], known.get(own))
    return seed, values, r.list(lambda: (r.text(), r.number("I"))), r.number("q")
def root_of(leaf, index, count, path):  # RFC 6962
    if count == 1 or not path: return leaf if count == 1 and not path else None
    left = 1 << (count - 1).bit_length() - 1
    below = root_of(leaf, *((index, left) if index < left else (index - left, count - left)), path[:-1])
    return below and sha(b"\1", *((below, path[-1]) if index < left else (path[-1], below)))
def f32(x): return ctypes.c_float(x).value
def divide(a, b): return a / b if b else nan if a == 0 or a != a else math.copysign(inf, a) * math.copysign(1, b)
PARTS = {
    "neg": lambda a: -a, "abs": abs, "sqrt": lambda a: math.sqrt(a) if a >= 0 else nan, "not": lambda a: not a, "toFloat32": float,
    "floor": lambda a: math.copysign(math.floor(a), a) if abs(a) < 2**24 else a, "pow2": lambda a: 2.0**a if abs(a) < 127 else 0.0,
    "exponent": lambda a: math.frexp(a)[1] - 1 if 0 < a < inf else 0.0, "high16": lambda a: a >> 16, "low16": lambda a: a & 0xffff,
    "toUint32": int, "toInt32": lambda a: a if isinstance(a, int) else 0 if a != a else int(max(-2**31, min(2**31 - 1, a))), "add": lambda a, b: a + b, "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b, "and": lambda a, b: a & b, "or": lambda a, b: a | b, "xor": lambda a, b: a ^ b, "lt": lambda a, b: a < b,
    "shl": lambda a, b: a << b % 32, "shr": lambda a, b: a >> b % 32, "le": lambda a, b: a <= b, "eq": lambda a, b: a == b,
    "ne": lambda a, b: a != b, "gt": lambda a, b: a > b, "ge": lambda a, b: a >= b, "select": lambda c, a, b: a if c else b}
def evaluate(expression, element):  # a line is a part, the last one the result
    parts = []
    for op, dtype, *rest in (line.split(" ") for line in expression.split("\n")):
        if op == "input": found = element(int(rest[0]))
        elif op == "constant": found = struct.unpack(">f", bytes.fromhex(rest[0]))[0] if dtype == "float32" else int(rest[0])
        elif op == "div": found = divide(*(a := [parts[int(i)] for i in rest])) if dtype == "float32" else a[1] and int(a[0] / a[1])
        elif op in PARTS: found = PARTS[op](*(parts[int(i)] for i in rest))
        else: raise Refused(f"{op} in an expression")
        parts.append(f32(found) if dtype == "float32" else int(found) if dtype == "bool" else found % 2**32 if dtype == "uint32" else (found + 2**31) % 2**32 - 2**31)
    return parts[-1]
def places(extents, strides, found=(0,)):  # where the points of these axes lie, row-major
    for extent, stride in zip(extents, strides): found = [p + i * stride for p in found for i in range(extent)]
    return found
def words(seed, offset, count):  # PCG32 (XSH-RR), after `offset` steps of state · m + c
    m, c, mask = 6364136223846793005, 0x14057b7ef767814f, 2**64 - 1
    jumped = pow(m, offset, m - 1 << 64)
    state = jumped * ((c + seed) * m + c) + c * ((jumped - 1) // (m - 1)) & mask
    for _ in range(count):
        word, turn = (state >> 18 ^ state) >> 27 & 0xffffffff, state >> 59
        yield (word >> turn | word << (-turn & 31)) & 0xffffffff
        state = state * m + c & mask
def total(items, lanes):  # a sum in one of the two written orders
    def fold(some, sum=0.0):
        for x in some: sum = f32(sum + x)
        return sum
    def block(some):
        sums = [fold(some[lane::16]) for lane in range(16)]
        for half in (8, 4, 2, 1): sums = [f32(a + b) for a, b in zip(sums, sums[half:])]
        return sums[0]
    part, size = (block, 1024) if lanes else (fold, 256)
    return fold(part(items[i:i + size]) for i in range(0, len(items), size))

def compute(node, given, expression, seed, base):  # the op's elements from its operands' elements and shapes
    op, shape, attributes, size = node["op"], node["shape"], node["attributes"], prod(node["shape"])
    if expression is not None:
        expect(sha(expression.encode()) == node["meaning"], "expression: the graph has the hash of another")
        return [evaluate(expression, lambda k: given[k][0][i]) for i in range(size)]
    if node["meaning"] != 1: raise Refused(f"op {op}: another version, or an expression that isn't given")
    if op == "full": return [attributes["value"]] * size
    if op == "randomWords": return list(words(seed, base + node["draws"][0], size))
    (x, own), strides = given[0], [prod(given[0][1][axis + 1:]) for axis in range(len(given[0][1]))]
    if op == "transpose": return [x[p] for p in places(shape, [strides[axis] for axis in attributes["permutation"]])]
    if op == "broadcastTo":
        return [x[p] for p in places(shape, [0] * (len(shape) - len(own)) + [stride * (extent > 1) for extent, stride in zip(own, strides)])]
    if op == "sum" and node["dtype"] == "float32":
        kept, axes = ([a for a in range(len(own)) if (a in attributes["axes"]) == summed] for summed in (False, True))
        starts, steps = (places([own[a] for a in some], [strides[a] for a in some]) for some in (kept, axes))
        return [total([x[p + q] for q in steps], kept + axes == list(range(len(own)))) for p in starts]
    if op == "matmul":
        n, k, m, y = own[-2], own[-1], shape[-1], given[1][0]
        dot = lambda row, j: total([f32(x[row * k + d] * y[(row // n * k + d) * m + j]) for d in range(k)], False)
        return [dot(row, j) for row in range(size // (m or 1)) for j in range(m)]
    if op != "reshape": raise Refused(f"op {op}")
    return x

PROOF, LINK = "format step graph graphHash link root expression operands result states", "hash previous position batch given loss"
def check(proof):
    unhex, link, result = bytes.fromhex, proof["link"], proof["result"]
    if proof["format"] != "seedgrad/op/1": raise Refused(proof["format"])
    graph, given = unhex(proof["graph"]), [*proof["operands"], result]
    parts = [(proof, PROOF), (link, LINK), (proof.get("states", {}), "before after"), *((v, "value sha256 data path state") for v in given)]
    for part, names in parts + [(v["state"], "name index count path") for v in given if "state" in v]:
        if unknown := part.keys() - {*names.split()}: raise Refused(f"fields that aren't known: {', '.join(sorted(unknown))}")
    expect(sha(graph) == unhex(proof["graphHash"]), "graph: its bytes come to another hash")
    made = sha(unhex(link["previous"]), pack("Q", proof["step"]), sha(graph), pack("Q", link["position"]), unhex(link["batch"] + link["given"]), unhex(link["loss"])[::-1])
    expect(made == unhex(link["hash"]), "link: its parts come to another hash")
    seed, values, outputs, draws = graph_of(graph)
    node, elements = values[result["value"]], {}
    inputs = [] if node["op"] == "constant" else node["inputs"]
    expect([v["value"] for v in proof["operands"]] == list(dict.fromkeys(inputs)), "operands: not the op's")
    for number, data, proved in ((v["value"], unhex(v["data"]), v) for v in given):
        value, name = values[number], f"value {number}"
        dtype, shape, digest = value["dtype"], value["shape"], sha(data)
        expect(digest == unhex(proved["sha256"]), f"{name}: its bytes come to another hash")
        expect(value.get("op") != "constant" or value["attributes"]["content"] == digest, f"{name}: not the graph's constant")
        head = pack(f"II{len(dtype)}sI{len(shape)}Q", number, len(dtype), dtype.encode(), len(shape), *shape)
        reached = root_of(sha(b"\0", head, digest), number, len(values), [unhex(h) for h in proved["path"]])
        expect(reached == unhex(proof["root"]), f"{name}: its branch doesn't lead to the root")
        elements[number] = (struct.unpack(f"<{prod(shape)}{dict(float32='f', int32='i', uint32='I', bool='B')[dtype]}", data), shape)
    if ("result", result["value"]) in outputs: expect(unhex(result["data"]) == unhex(link["loss"])[::-1], "link: another loss")
    if node["op"] == "constant": return "constant"
    made = compute(node, [elements[i] for i in inputs], proof.get("expression"), seed, link["position"] - draws)
    form = "f" if node["dtype"] == "float32" else "q"
    for i, (x, y) in enumerate(zip(made, elements[result["value"]][0])):
        expect(pack(form, x) == pack(form, y) or x != x and y != y, f"op: element {i} of {node['op']} is {x}, the proof says {y}")
    return node["op"]

code = 0
for path in sys.argv[1:]:
    try: print(f"{path}: right: {check(json.load(open(path)))}")
    except Refused as refused: code, _ = code or 2, print(f"{path}: REFUSED: {refused}")
    except Exception as wrong: code, _ = 1, print(f"{path}: WRONG: {wrong if isinstance(wrong, Wrong) else f'it can not be read: {wrong!r}'}")
sys.exit(code)
