"""Records what PyTorch computes for the example models: python tests/references/record.py [--verify] [MODEL ...]

Needs torch, torchvision, timm and transformers (nothing else in the repository does). For every model: weights and inputs
from seeds.py, a sample of the outputs of every block and of the end, written to tests/references/records/MODEL.json
together with the shapes of the parameters. --verify compares the stored record with a live run instead and says how far
they are apart.
"""

import argparse
import json
import pathlib
import sys

import numpy as np
import torch

import seeds

RECORDS = pathlib.Path(__file__).parent / "records"


def float_shapes(module):
    state = module.state_dict()
    return {name: list(t.shape) for name, t in state.items() if t.dtype.is_floating_point}


def load_seeded(module):
    shapes = float_shapes(module)
    tensors = {name: torch.from_numpy(v) for name, v in seeds.weights(shapes).items()}
    module.load_state_dict(tensors, strict=False)
    return shapes


def run_with_taps(module, taps, call):
    """Outputs of the named submodules, in order, and of the call."""
    seen, handles = {}, []
    for label, submodule in taps:
        def keep(_module, _inputs, output, label=label):
            seen[label] = (output[0] if isinstance(output, tuple) else output).detach().numpy()
        handles.append(submodule.register_forward_hook(keep))
    with torch.no_grad():
        results = call(module)
    for handle in handles:
        handle.remove()
    return {**seen, **{label: value.detach().numpy() for label, value in results.items()}}


def mlp():
    from torchvision.ops import MLP
    net = MLP(784, [256, 128, 10]).eval()
    shapes = load_seeded(net)
    x = torch.from_numpy(seeds.image("pixel", (5, 784)))
    return shapes, run_with_taps(net, [], lambda m: {"logits": m(x)})


def resnet50():
    from torchvision.models import resnet50
    net = resnet50(weights=None).eval()
    shapes = load_seeded(net)
    x = torch.from_numpy(seeds.image("image", (2, 3, 224, 224)))
    taps = [("stem", net.maxpool)]
    taps += [(f"layer{i}.{j}", block) for i in range(1, 5) for j, block in enumerate(getattr(net, f"layer{i}"))]
    return shapes, run_with_taps(net, taps, lambda m: {"logits": m(x)})


def mobilenet_v2():
    from torchvision.models import mobilenet_v2
    net = mobilenet_v2(weights=None).eval()
    shapes = load_seeded(net)
    x = torch.from_numpy(seeds.image("image", (2, 3, 224, 224)))
    taps = [(f"features.{i}", block) for i, block in enumerate(net.features)]
    return shapes, run_with_taps(net, taps, lambda m: {"logits": m(x)})


def vit_b16():
    import timm
    net = timm.create_model("vit_base_patch16_224", pretrained=False).eval()
    shapes = load_seeded(net)
    x = torch.from_numpy(seeds.image("image", (2, 3, 224, 224)))
    taps = [(f"blocks.{i}", block) for i, block in enumerate(net.blocks)]
    return shapes, run_with_taps(net, taps, lambda m: {"logits": m(x)})


def bert(config, batch, length):
    from transformers import BertConfig, BertModel
    net = BertModel(BertConfig(attn_implementation="eager", **config), add_pooling_layer=False).eval()
    shapes = load_seeded(net)
    ids = torch.from_numpy(seeds.tokens("ids", (batch, length), 30522))
    lengths = seeds.tokens("lengths", (batch,), length - 1) + 1
    mask = torch.from_numpy((np.arange(length)[None, :] < lengths[:, None]).astype(np.int64))
    taps = [("embeddings", net.embeddings)]
    taps += [(f"layer.{i}", layer) for i, layer in enumerate(net.encoder.layer)]

    def call(m):
        hidden = m(input_ids=ids, attention_mask=mask).last_hidden_state
        weights = mask[:, :, None].to(hidden.dtype)
        mean = (hidden * weights).sum(1) / weights.sum(1).clamp(min=1e-9)
        return {"hidden": hidden, "embedding": torch.nn.functional.normalize(mean, dim=1)}

    return shapes, run_with_taps(net, taps, call)


def bert_base():
    return bert({}, batch=2, length=128)


def minilm():
    small = dict(hidden_size=384, num_hidden_layers=6, num_attention_heads=12, intermediate_size=1536)
    return bert(small, batch=8, length=32)


class DoubleConv(torch.nn.Module):
    def __init__(self, cin, cout):
        super().__init__()
        layers = []
        for a, b in ((cin, cout), (cout, cout)):
            layers += [torch.nn.Conv2d(a, b, 3, padding=1, bias=False), torch.nn.BatchNorm2d(b), torch.nn.ReLU()]
        self.double_conv = torch.nn.Sequential(*layers)

    def forward(self, x):
        return self.double_conv(x)


class Down(torch.nn.Module):
    def __init__(self, cin, cout):
        super().__init__()
        self.maxpool_conv = torch.nn.Sequential(torch.nn.MaxPool2d(2), DoubleConv(cin, cout))

    def forward(self, x):
        return self.maxpool_conv(x)


class Up(torch.nn.Module):
    def __init__(self, cin, cout):
        super().__init__()
        self.up = torch.nn.ConvTranspose2d(cin, cout, 2, stride=2)
        self.conv = DoubleConv(2 * cout, cout)

    def forward(self, x, kept):
        return self.conv(torch.cat([kept, self.up(x)], 1))


class UNet(torch.nn.Module):
    """The padded U-Net with transposed up-sampling, parameters named as in the usual PyTorch one."""

    def __init__(self, channels, classes):
        super().__init__()
        self.inc = DoubleConv(channels, 64)
        for i in range(4):
            setattr(self, f"down{i + 1}", Down(64 << i, 128 << i))
            setattr(self, f"up{i + 1}", Up(1024 >> i, 512 >> i))
        self.outc = torch.nn.ModuleDict({"conv": torch.nn.Conv2d(64, classes, 1)})

    def forward(self, x):
        kept = [self.inc(x)]
        for i in range(1, 5):
            kept.append(getattr(self, f"down{i}")(kept[-1]))
        x = kept[4]
        for i in range(1, 5):
            x = getattr(self, f"up{i}")(x, kept[4 - i])
        return self.outc["conv"](x)


def unet():
    net = UNet(3, 2).eval()
    shapes = load_seeded(net)
    x = torch.from_numpy(seeds.image("image", (1, 3, 96, 64)))
    taps = [(name, getattr(net, name)) for name in ("inc", "down1", "down2", "down3", "down4", "up1", "up2", "up3", "up4")]
    return shapes, run_with_taps(net, taps, lambda m: {"logits": m(x)})


MODELS = {f.__name__: f for f in (mlp, resnet50, mobilenet_v2, vit_b16, bert_base, minilm, unet)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*", metavar="MODEL", help=f"of {', '.join(MODELS)}; all if left out")
    parser.add_argument("--verify", action="store_true", help="compare the stored records with a live run")
    arguments = parser.parse_args()
    unknown = [m for m in arguments.models if m not in MODELS]
    if unknown:
        parser.error(f"no model is called {', '.join(unknown)}")
    torch.manual_seed(0)
    worst = 0.0
    for name in arguments.models or MODELS:
        shapes, outputs = MODELS[name]()
        path = RECORDS / f"{name}.json"
        if arguments.verify:
            record = json.loads(path.read_text())
            apart = {k: seeds.distance(k, v, record["outputs"][k]) for k, v in outputs.items()}
            far = max(apart, key=apart.get)
            worst = max(worst, apart[far])
            print(f"{name}: {apart[far]:.2e} of the range at {far}")
            continue
        RECORDS.mkdir(exist_ok=True)
        record = {"shapes": shapes, "outputs": {k: seeds.summary(k, v) for k, v in outputs.items()}}
        path.write_text(json.dumps(record, indent=None, separators=(",", ":")) + "\n")
        print(f"{name}: {len(shapes)} parameters, {len(outputs)} outputs recorded")
    return 1 if worst > 1e-5 else 0


if __name__ == "__main__":
    sys.exit(main())
