"""What is compared: a program of ours, its weights and inputs, and what a peer needs to compute the same."""

import pickle
from dataclasses import dataclass

import numpy as np

import tensors

GROUPS = ["network", "tolerance", "system", "operator", "layer", "matrix product", "convolution", "depthwise", "rows", "pointwise", "attention", "call"]


def normal(seed, *shape):
    return np.random.Generator(np.random.Philox(seed)).standard_normal(shape, np.float32)


def program(net, method, *imports):
    lines = "".join(f"import {line}\n" for line in imports)
    return f"weft 0.1\n\n{lines}\nentry compared {{\n{net}  {method}\n}}\n"


@dataclass
class Subject:
    """A subject lies pickled in its folder, where the processes of its contenders find it: it holds sizes, no arrays."""

    group: str  # of GROUPS
    name: str
    peers: tuple = ()  # names of files of benchmarks/peers
    flops: int = 0  # of one run: the multiplications and additions of convolutions and matrix products
    bytes: int = 0  # of operands and results, each counted once; 0 for what is no single kernel
    exps: int = 0  # values of exp, erf, tanh or sigmoid of one run, each counted as one of exp
    needs: tuple = ()  # packages that ours needs too, for its weights
    quick: bool = False  # timed by --quick too
    tolerance: str = ""  # that ours is compiled with

    def source(self, folder):
        """The program: one entry, whose only method has the inputs in their order."""
        raise NotImplementedError

    def program(self, folder):
        """What `weft compile` gets: the file, and an entry where it has several."""
        (folder / "subject.weft").write_text(self.source(folder))
        return [folder / "subject.weft"]

    def weights(self):
        return {}

    def inputs(self):
        """A list of arrays."""
        raise NotImplementedError

    def onnx(self, path):
        """Writes the same as an ONNX file."""
        raise NotImplementedError

    def torch(self):
        """The same as a function of PyTorch's tensors."""
        raise NotImplementedError

    def write(self, folder, peers):
        """Everything that the contenders read but for the program; `peers` are those that take part."""
        tensors.write(folder / "subject.safetensors", self.weights())
        np.savez(folder / "subject.npz", *self.inputs())
        if {"onnx", "openvino"} & set(self.peers) & set(peers):
            self.onnx(folder / "subject.onnx")
        (folder / "subject.pickle").write_bytes(pickle.dumps(self))
