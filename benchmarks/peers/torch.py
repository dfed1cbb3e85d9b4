"""PyTorch, operator by operator."""

NAME = "PyTorch"
PACKAGES = ("torch", "torchvision")
# Threads that wait for work give the processors to the other contenders after a while.
ENVIRONMENT = {"GOMP_SPINCOUNT": "100000", "OMP_PROC_BIND": "close", "OMP_PLACES": "cores"}


def load(subject, _, arrays, threads, prepared=lambda function: function):
    import torch

    torch.set_num_threads(threads)
    torch.set_grad_enabled(False)
    function, inputs = prepared(subject.torch()), [torch.from_numpy(array) for array in arrays]

    def once():
        found = function(*inputs)
        return [each.numpy() for each in (found if isinstance(found, list) else [found])]

    return once
