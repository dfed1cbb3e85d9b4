"""The networks of examples/ as graphs: each function gives the result for what `graph.input` says, at the sizes it is given."""

import numpy as np


def resnet50(g, image, width):
    def block(x, name, channels, planes, size, step):
        y, _ = g.conv(x, name + "conv1", channels, planes, 1, size)
        y = g.node("Relu", g.batch_norm(y, name + "bn1", planes))
        y, small = g.conv(y, name + "conv2", planes, planes, 3, size, step, 1)
        y = g.node("Relu", g.batch_norm(y, name + "bn2", planes))
        y, _ = g.conv(y, name + "conv3", planes, 4 * planes, 1, small)
        y = g.batch_norm(y, name + "bn3", 4 * planes)
        if step != 1 or channels != 4 * planes:
            x, _ = g.conv(x, name + "downsample.0", channels, 4 * planes, 1, size, step)
            x = g.batch_norm(x, name + "downsample.1", 4 * planes)
        return g.node("Relu", g.node("Add", y, x)), small

    x, size = g.conv(g.input((1, 3, image, image)), "conv1", 3, width, 7, image, 2, 3)
    x = g.node("Relu", g.batch_norm(x, "bn1", width))
    x = g.node("MaxPool", x, window=3, stride=2, pad=1)
    size = (size - 1) // 2 + 1
    channels = width
    for stage, depth in enumerate((3, 4, 6, 3)):
        planes = width << stage
        for number in range(depth):
            x, size = block(x, f"layer{stage + 1}.{number}.", channels, planes, size, 2 if stage and not number else 1)
            channels = 4 * planes
    return g.linear(g.node("MeanOfPicture", x), "fc", channels, 1000, 1)


def mobilenet_v2(g, image, widths):
    def conv_norm(x, names, *shape, **more):
        y, size = g.conv(x, names[0], *shape, **more)
        return g.batch_norm(y, names[1], shape[1]), size

    stem, *stages, last = widths
    x, size = conv_norm(g.input((1, 3, image, image)), ("features.0.0", "features.0.1"), 3, stem, 3, image, 2, 1)
    x, channels, number = g.node("Relu6", x), stem, 1
    for c, (widen, repeats, stride) in zip(stages, ((1, 1, 1), (6, 2, 2), (6, 3, 2), (6, 4, 2), (6, 3, 1), (6, 3, 2), (6, 1, 1))):
        for repeat in range(repeats):
            step, hidden, at, y = stride if repeat == 0 else 1, channels * widen, f"features.{number}.conv.", x
            part = 0
            if widen != 1:
                y, _ = conv_norm(y, (at + "0.0", at + "0.1"), channels, hidden, 1, size)
                y, part = g.node("Relu6", y), 1
            y, size = conv_norm(y, (at + f"{part}.0", at + f"{part}.1"), hidden, hidden, 3, size, step, 1, groups=hidden)
            y, _ = conv_norm(g.node("Relu6", y), (at + f"{part + 1}", at + f"{part + 2}"), hidden, c, 1, size)
            x = g.node("Add", x, y) if step == 1 and channels == c else y
            channels, number = c, number + 1
    x, size = conv_norm(x, ("features.18.0", "features.18.1"), channels, last, 1, size)
    return g.linear(g.node("MeanOfPicture", g.node("Relu6", x)), "classifier.1", last, 1000, 1)


def vit_b16(g, image, patch, dim, depth, heads):
    side = image // patch
    length = side * side + 1
    x, _ = g.conv(g.input((1, 3, image, image)), "patch_embed.proj", 3, dim, patch, image, patch, bias=True)
    x = g.node("Transpose", g.node("Reshape", x, shape=[1, dim, side * side]), order=[0, 2, 1])
    x = g.node("Concat", g.weight("cls_token", (1, 1, dim), 1), x, axis=1)
    x = g.node("Add", x, g.weight("pos_embed", (1, length, dim), 1))
    for number in range(depth):
        at = f"blocks.{number}."
        y = g.linear(g.layer_norm(x, at + "norm1", dim, 1e-6), at + "attn.qkv", dim, 3 * dim, length)
        y = g.node("Transpose", g.node("Reshape", y, shape=[1, length, 3, heads, dim // heads]), order=[2, 0, 3, 1, 4])
        y = g.attention(*(g.node("Pick", y, axis=0, at=i) for i in range(3)), 1, length, dim, heads)
        x = g.node("Add", x, g.linear(y, at + "attn.proj", dim, dim, length))
        y = g.node("Gelu", g.linear(g.layer_norm(x, at + "norm2", dim, 1e-6), at + "mlp.fc1", dim, 4 * dim, length))
        x = g.node("Add", x, g.linear(y, at + "mlp.fc2", 4 * dim, dim, length))
    return g.linear(g.node("Pick", g.layer_norm(x, "norm", dim, 1e-6), axis=1, at=0), "head", dim, 1000, 1)


def bert_base(g, batch, tokens, dim, depth, heads, hidden):
    """All tokens are seen: the peers are spared the mask."""

    def split(x):
        return g.node("Transpose", g.node("Reshape", x, shape=[batch, tokens, heads, dim // heads]), order=[0, 2, 1, 3])

    rows = batch * tokens
    x = g.node("Embed", g.weight("embeddings.word_embeddings.weight", (30522, dim), 1), g.input((batch, tokens), np.int64))
    place = g.node("Front", g.weight("embeddings.position_embeddings.weight", (512, dim), 1), count=tokens)
    kind = g.node("Front", g.weight("embeddings.token_type_embeddings.weight", (2, dim), 1), count=1)
    x = g.layer_norm(g.node("Add", x, g.node("Add", place, kind)), "embeddings.LayerNorm", dim, 1e-12)
    for number in range(depth):
        at = f"encoder.layer.{number}."
        parts = (split(g.linear(x, f"{at}attention.self.{part}", dim, dim, rows)) for part in ("query", "key", "value"))
        y = g.linear(g.attention(*parts, batch, tokens, dim, heads), at + "attention.output.dense", dim, dim, rows)
        x = g.layer_norm(g.node("Add", x, y), at + "attention.output.LayerNorm", dim, 1e-12)
        y = g.linear(g.node("Gelu", g.linear(x, at + "intermediate.dense", dim, hidden, rows)), at + "output.dense", hidden, dim, rows)
        x = g.layer_norm(g.node("Add", x, y), at + "output.LayerNorm", dim, 1e-12)
    return x


def minilm(g, **sizes):
    return g.node("UnitRows", g.node("Mean", bert_base(g, **sizes), axis=1))


def unet(g, image, classes):
    def twice(x, name, channels, results, size):
        for conv, norm, inputs in ((0, 1, channels), (3, 4, results)):
            x, _ = g.conv(x, f"{name}double_conv.{conv}", inputs, results, 3, size, pad=1)
            x = g.node("Relu", g.batch_norm(x, f"{name}double_conv.{norm}", results))
        return x

    x, size, kept = twice(g.input((1, 3, image, image)), "inc.", 3, 64, image), image, []
    for level in range(4):
        kept.append(x)
        size //= 2
        x = g.node("MaxPool", x, window=2, stride=2, pad=0)
        x = twice(x, f"down{level + 1}.maxpool_conv.1.", 64 << level, 128 << level, size)
    for level in range(4):
        channels = 1024 >> level
        wide = g.conv_transpose(x, f"up{level + 1}.up", channels, channels // 2, 2, size)
        size *= 2
        x = twice(g.node("Concat", kept.pop(), wide, axis=1), f"up{level + 1}.conv.", channels, channels // 2, size)
    return g.conv(x, "outc.conv", 64, classes, 1, size, bias=True)[0]
