"""PyTorch compiled by TorchInductor: weights are constants, packed ahead."""

from peers import torch as eager

NAME = "TorchInductor"
PACKAGES = ("torch",)
ENVIRONMENT = {**eager.ENVIRONMENT, "TORCHINDUCTOR_FREEZING": "1", "TORCHINDUCTOR_CPP_WRAPPER": "1"}


def load(subject, folder, arrays, threads):
    def prepared(function):
        import torch
        return torch.compile(function, dynamic=False, fullgraph=True)

    return eager.load(subject, folder, arrays, threads, prepared)
