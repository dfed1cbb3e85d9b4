"""Single layers with their channels in front, and reductions and moves of tensors, as people try a library first."""

from dataclasses import dataclass

from subject import Subject, normal, program

# Convolutions: channels, results, window, stride, pad, dilation, groups, and the size of a square input.
CONVOLUTIONS = {
    "3x3 64>64": (64, 64, 3, 1, 1, 1, 1, 56),
    "3x3 256>256": (256, 256, 3, 1, 1, 1, 1, 14),
    "3x3 s2 128>256": (128, 256, 3, 2, 1, 1, 1, 28),
    "3x3 dilated 64>64": (64, 64, 3, 1, 2, 2, 1, 56),
    "3x3 s2 3>32": (3, 32, 3, 2, 1, 1, 1, 224),
    "7x7 s2 3>64": (3, 64, 7, 2, 3, 1, 1, 224),
    "16x16 s16 3>192": (3, 192, 16, 16, 0, 1, 1, 224),
    "7x7 64>3": (64, 3, 7, 1, 3, 1, 1, 64),
    "3x3 128 in 32 groups": (128, 128, 3, 1, 1, 1, 32, 28),
    "3x3 depthwise 64": (64, 64, 3, 1, 1, 1, 64, 56),
    "3x3 s2 depthwise 64": (64, 64, 3, 2, 1, 1, 64, 56),
    "7x7 depthwise 96": (96, 96, 7, 1, 3, 1, 96, 56),
}

# Others: the shape of the input, imports, the method's result and equation, and the same over torch's tensors.
MAPS = (1, 64, 56, 56)
OTHERS = {
    "max pool 3x3 s2": (MAPS, "std.pool: max_pool2d", "f32[1, 64, 28, 28] { y = max_pool2d(x; size = 3, stride = 2, pad = 1) }",
                        "F.max_pool2d(x, 3, 2, 1)"),
    "bilinear 28 to 56": ((1, 64, 28, 28), "std.resize: resize_bilinear",
                          "f32[1, 64, 56, 56] { y = resize_bilinear(x; height = 56, width = 56) }",
                          "F.interpolate(x, scale_factor=2, mode='bilinear')"),
    "bicubic 256 to 512": ((1, 3, 256, 256), "std.resize: resize_bicubic",
                           "f32[1, 3, 512, 512] { y = resize_bicubic(x; height = 512, width = 512) }",
                           "F.interpolate(x, scale_factor=2, mode='bicubic')"),
    "reflection pad": (MAPS, "std.pad: pad_reflect", "f32[1, 64, 58, 58] { y = pad_reflect(x; top = 1) }",
                       "F.pad(x, (1, 1, 1, 1), mode='reflect')"),
    "circular pad": (MAPS, "std.pad: pad_circular", "f32[1, 64, 58, 58] { y = pad_circular(x; top = 1) }",
                     "F.pad(x, (1, 1, 1, 1), mode='circular')"),
    "group norm": (MAPS, "std.norm: group_norm", "f32[1, 64, 56, 56] { y = group_norm(x; groups = 8) }", "F.group_norm(x, 8)"),
    "softmax over channels": (MAPS, "std.softmax: softmax", "f32[1, 64, 56, 56] { y[n, :, i, j] = softmax(x[n, :, i, j]) }",
                              "F.softmax(x, 1)"),
    "transpose": ((1024, 768), "", "f32[768, 1024] { y[i, j] = x[j, i] }", "x.t().contiguous()"),
    "sum of rows": ((1024, 768), "", "f32[1024] { y[i] = sum(j) x[i, j] }", "x.sum(1)"),
    "sum of columns": ((1024, 768), "", "f32[768] { y[j] = sum(i) x[i, j] }", "x.sum(0)"),
    "logsumexp of columns": ((512, 512), "", "f32[512] { y[j] = logsumexp(i) x[i, j] }", "torch.logsumexp(x, 0)"),
    "vector by matrix": ((1024, 1024), "", "f32[1024] { y[j] = sum(i) x[0, i] * x[i, j] }", "x[0] @ x"),
    "squared distances": ((512, 64), "", "f32[512, 512] { y[i, j] = sum(k) (x[i, k] - x[j, k])^2 }",
                          "((x[:, None] - x[None]) ** 2).sum(-1)"),
}


@dataclass
class Layer(Subject):
    def shape(self):
        if self.name in OTHERS:
            return OTHERS[self.name][0]
        channels, *_, size = CONVOLUTIONS[self.name]
        return 1, channels, size, size

    def source(self, _):
        x = f"run(x: f32{list(self.shape())}) -> y: "
        if self.name in OTHERS:
            _, imports, method, _ = OTHERS[self.name]
            return program("", x + method, *filter(None, [imports]))
        channels, results, window, stride, pad, dilation, groups, size = CONVOLUTIONS[self.name]
        out = (size + 2 * pad - dilation * (window - 1) - 1) // stride + 1
        net = (f'  net as "": Conv2d({channels}, {results}, {window}; stride = {stride}, pad = {pad}, dilation = {dilation}, '
               f"groups = {groups})\n")
        return program(net, x + f"f32[1, {results}, {out}, {out}] {{ y = net(x) }}", "std.conv: Conv2d")

    def weights(self):
        if self.name in OTHERS:
            return {}
        channels, results, window, *_, groups, _ = CONVOLUTIONS[self.name]
        return {"weight": normal(1, results, channels // groups, window, window) / window, "bias": normal(2, results)}

    def inputs(self):
        return [normal(3, *self.shape())]

    def torch(self):
        import torch
        from torch.nn import functional
        if self.name in OTHERS:
            return eval(f"lambda x: {OTHERS[self.name][-1]}", {"torch": torch, "F": functional})
        *_, stride, pad, dilation, groups, _ = CONVOLUTIONS[self.name]
        weight, bias = (torch.from_numpy(value) for value in self.weights().values())
        return lambda x: functional.conv2d(x, weight, bias, stride, pad, dilation, groups)


QUICK = ("3x3 s2 128>256", "sum of columns")


def subjects():
    return [Layer("layer", name, ("torch",), quick=name in QUICK) for name in (*CONVOLUTIONS, *OTHERS)]
