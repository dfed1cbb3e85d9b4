"""MeshGraphNets' cloth in NumPy and float64: both kinds of edges, message passing and the roll-out of a folded cloth."""

import numpy as np

import seeds
from layers import Layers, relu
from system import Case, Exact, Range

SYSTEM = "MeshGraphNets"
PAPER = "Pfaff et al., 2021, arXiv:2010.03409"
REFERENCE = "NumPy, written from the paper"
LIVE = True
CASES = {
    "small": Case(entry="small", rows=6, columns=8, dim=16, blocks=3, steps=4),
    "full": Case(entry="cloth", rows=18, columns=24, dim=128, blocks=15, steps=10),
}
COMPARE = {"path": Range(1e-4), "joined": Exact(margin="joined.margin", tie=1e-6)}
BREAK = "process.1.world_edge.layers.1.bias"
RADIUS = 0.05


def weights(case):
    d, shapes = case.dim, {}

    def mlp(path, din, dout, norm=True):
        for i, (a, b) in enumerate(((din, d), (d, d), (d, dout))):
            shapes[f"{path}.layers.{i}.weight"], shapes[f"{path}.layers.{i}.bias"] = (b, a), (b,)
        if norm:
            shapes[f"{path}.after.weight"], shapes[f"{path}.after.bias"] = (dout,), (dout,)

    mlp("encode_node", 5, d)
    mlp("encode_mesh", 7, d)
    mlp("encode_world", 4, d)
    for b in range(case.blocks):
        for part in ("mesh_edge", "world_edge", "node"):
            mlp(f"process.{b}.{part}", 3 * d, d)
    mlp("decode", d, 3, norm=False)
    statistics = {}
    for path, size, scale in (("motion", 3, 0.01), ("mesh_norm", 7, 0.05), ("world_norm", 4, 0.03), ("target", 3, 5e-4)):
        statistics[f"{path}.mean_of"] = (0.1 * scale * seeds.image(path, (size,))).astype(np.float32)
        statistics[f"{path}.deviation"] = np.full(size, scale, np.float32)
    return seeds.weights(shapes) | statistics


def inputs(case):
    """A cloth of triangles, folded in the middle so that its halves are near each other, and moving a little."""
    r, c = np.mgrid[:case.rows, :case.columns]
    rest = np.stack([0.06 * r.ravel(), 0.06 * c.ravel()], 1)
    half = 0.06 * (case.columns - 1) / 2
    folded = np.abs(rest[:, 1] - half)
    height = np.where(rest[:, 1] < half, 0, 0.043)
    x = np.stack([rest[:, 0], folded, height], 1) + 0.002 * seeds.image("x", (len(rest), 3))
    past = x - 0.001 * seeds.image("past", x.shape)
    node = lambda i, j: i * case.columns + j
    edges = []
    for i in range(case.rows):
        for j in range(case.columns):
            for k, l in ((i + 1, j), (i, j + 1), (i + 1, j + 1)):
                if k < case.rows and l < case.columns:
                    edges += [(node(i, j), node(k, l)), (node(k, l), node(i, j))]
    src, dst = np.array(edges, np.int64).T
    kind = np.zeros(len(rest), np.int64)
    kind[[0, case.columns - 1]] = 1
    return {"x": x.astype(np.float32), "past": past.astype(np.float32), "rest": rest.astype(np.float32), "kind": kind,
            "src": src, "dst": dst}


def mlp(net, x):
    for i in range(3):
        x = net.linear(x if i == 0 else relu(x), f"layers.{i}")
    return net.layer_norm(x, "after") if "after.weight" in net else x


def with_length(x):
    return np.concatenate([x, np.linalg.norm(x, axis=1, keepdims=True)], 1)


def gathered(rows, at, nodes):
    out = np.zeros((nodes, rows.shape[1]))
    np.add.at(out, at, rows)
    return out


def accelerations(net, case, x, past, rest, kind, src, dst):
    """Also the number of edges in space and how near any pair is to the border of joining."""
    def normalized(values, path):
        return (values - net[path + ".mean_of"]) / net[path + ".deviation"]

    apart = np.linalg.norm(x[:, None] - x[None], axis=2)
    may = ~np.eye(len(x), dtype=bool)
    may[src, dst] = False
    near, far = np.nonzero((apart < RADIUS) & may)
    margin = np.abs(apart - RADIUS)[may].min()
    v = mlp(net.at("encode_node"), np.concatenate([normalized(x - past, "motion"), np.eye(2)[kind]], 1))
    offsets = np.concatenate([with_length(rest[src] - rest[dst]), with_length(x[src] - x[dst])], 1)
    mesh = mlp(net.at("encode_mesh"), normalized(offsets, "mesh_norm"))
    world = mlp(net.at("encode_world"), normalized(with_length(x[near] - x[far]), "world_norm"))
    for b in range(case.blocks):
        block = net.at(f"process.{b}")
        mesh = mesh + mlp(block.at("mesh_edge"), np.concatenate([mesh, v[src], v[dst]], 1))
        world = world + mlp(block.at("world_edge"), np.concatenate([world, v[near], v[far]], 1))
        sums = [gathered(mesh, dst, len(x)), gathered(world, far, len(x))]
        v = v + mlp(block.at("node"), np.concatenate([v, *sums], 1))
    a = mlp(net.at("decode"), v) * net["target.deviation"] + net["target.mean_of"]
    return a, len(near), margin


def expected(case):
    given = {name: value if value.dtype == np.int64 else value.astype(np.float64) for name, value in inputs(case).items()}
    x, past, mesh = given.pop("x"), given.pop("past"), given
    net = Layers(weights(case))
    path, joined, margins = [], [], []
    for _ in range(case.steps):
        a, count, margin = accelerations(net, case, x, past, **mesh)
        x, past = np.where(mesh["kind"][:, None] == 1, x, 2 * x - past + a), x
        path.append(x)
        joined.append(count)
        margins.append(margin)
    return {"path": np.stack(path), "joined": np.array(joined), "joined.margin": np.array(margins)}
