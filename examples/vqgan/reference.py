"""VQGAN's first stage as transformers has it (JanusVQVAE), its codes the nearest rows of the book, and codes drawn by GPT-2's
network from the same random numbers. PyTorch, recorded."""

import numpy as np

import philox
import seeds
from system import Case, Exact, Range

SYSTEM = "VQGAN"
PAPER = "Esser et al., 2021, arXiv:2012.09841"
REFERENCE = "transformers (JanusVQVAE, GPT2Model)"
LIVE = False
SMALL = dict(entry="small", base=32, multipliers=[1, 2], blocks=1, latent=16, codes=32, side=4, width=16, depth=2, heads=2, batch=2)
F16 = dict(entry="f16", base=128, multipliers=[1, 1, 2, 2, 4], blocks=2, latent=256, codes=1024, side=16, width=512, depth=8,
           heads=8, batch=1)
CASES = {
    "small": Case(**SMALL),
    "small_decode": Case(**SMALL, method="decode"),
    "small_sample": Case(**SMALL, method="sample"),
    "full": Case(**F16),
    "full_decode": Case(**F16, method="decode"),
    "full_sample": Case(**F16, method="sample"),
}
COMPARE = {"code": Exact(margin="code.margin", tie=1e-4), "image": Range(1e-4, margin="image.margin", tie=1e-4)}
BREAK = "decoder.mid.attn_1.proj_out.bias"


def first_stage(case):
    from transformers.models.janus.modeling_janus import JanusVQVAE, JanusVQVAEConfig
    net = JanusVQVAE(JanusVQVAEConfig(embed_dim=case.latent, num_embeddings=case.codes, latent_channels=case.latent,
                                      base_channels=case.base, channel_multiplier=case.multipliers,
                                      num_res_blocks=case.blocks, num_patches=case.side))
    return net.eval()


def second_stage(case):
    import torch
    from transformers import GPT2Config, GPT2Model
    net = GPT2Model(GPT2Config(vocab_size=case.codes, n_positions=case.side**2, n_embd=case.width, n_layer=case.depth,
                               n_head=case.heads, activation_function="gelu", attn_implementation="eager"))
    net.head = torch.nn.Linear(case.width, case.codes, bias=False)
    return net.eval()


def is_turned(name):
    """GPT-2 keeps these weights as [in, out]."""
    return name.endswith(".weight") and any(part in name for part in ("c_attn", "c_proj", "c_fc"))


def shapes(case):
    found = {name: list(t.shape) for name, t in first_stage(case).state_dict().items()}
    for name, t in second_stage(case).state_dict().items():
        found["transformer." + name] = list(t.shape[::-1] if is_turned(name) else t.shape)
    return found


def tensors(case, prefix=""):
    import torch
    values = {name[len(prefix):]: value for name, value in seeds.weights(shapes(case)).items() if name.startswith(prefix)}
    return {name: torch.from_numpy(value.T.copy() if prefix and is_turned(name) else value) for name, value in values.items()}


def inputs(case):
    if case.method == "sample":
        return {"seed": np.int64(5)}
    if case.method == "decode":
        return {"code": seeds.tokens("code", (case.batch, case.side, case.side), case.codes)}
    size = case.side * 2 ** (len(case.multipliers) - 1)
    return {"image": seeds.image("image", (case.batch, 3, size, size))}


def encoded(net, image, case):
    """Codes, and how much nearer the nearest row is than the next."""
    import torch
    z = net.quant_conv(net.encoder(image)).permute(0, 2, 3, 1).reshape(-1, case.latent).double()
    apart = torch.cdist(z, net.quantize.embedding.weight.double()) ** 2
    two = apart.topk(2, largest=False)
    shape = (case.batch, case.side, case.side)
    return {"code": two.indices[:, 0].reshape(shape).numpy(), "code.margin": (two.values[:, 1] - two.values[:, 0]).reshape(shape).numpy()}


def decoded(net, code):
    rows = net.quantize.embedding.weight[code].permute(0, 3, 1, 2)
    return net.decoder(net.post_quant_conv(rows)).numpy()


def sampled(case):
    import torch
    net = second_stage(case)
    net.load_state_dict(tensors(case, "transformer."), strict=False)
    seed, code, margins, past = inputs(case)["seed"], [], [], None
    token = torch.zeros((1, 1), dtype=torch.long)
    for t in range(case.side**2):
        out = net(token, past_key_values=past, use_cache=True)
        past = out.past_key_values
        score = net.head(out.last_hidden_state[0, 0]).double().numpy() + philox.gumbel(seed, t, 0, np.arange(case.codes))
        token = torch.tensor([[int(score.argmax())]])
        code.append(int(score.argmax()))
        margins.append(np.diff(np.sort(score)[-2:])[0])
    return np.array(code)[:, None], np.minimum.accumulate(margins)[:, None]


def expected(case):
    import torch
    net = first_stage(case)
    net.load_state_dict(tensors(case), strict=False)
    with torch.no_grad():
        if case.method == "forward":
            return encoded(net, torch.from_numpy(inputs(case)["image"]), case)
        if case.method == "decode":
            return {"image": decoded(net, torch.from_numpy(inputs(case)["code"])), "image.margin": np.full(case.batch, 1e9)}
        code, margin = sampled(case)
        image = decoded(net, torch.from_numpy(code.reshape(1, case.side, case.side)))
        return {"code": code, "image": image, "code.margin": margin, "image.margin": margin[-1]}
