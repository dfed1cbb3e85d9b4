"""Mistakes as people make them: mistakes.py WEFT [--show]

Each entry breaks one thing in an example or in the standard library. The compiler must report exactly one error, in the
file and at the text that is guilty, with the cause in its words, and exit with 1. `--show` prints what it says.
"""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]

MLP = "examples/mlp/mlp.weft"
RESNET = "examples/resnet50/resnet50.weft"
MOBILENET = "examples/mobilenet_v2/mobilenet_v2.weft"
BERT = "examples/bert_base/bert.weft"
BERT_BASE = "examples/bert_base/bert_base.weft"
MINILM = "examples/minilm/minilm.weft"
UNET = "examples/unet/unet.weft"
ATTENTION = "stdlib/attention.weft"
CONV = "stdlib/conv.weft"
NORM = "stdlib/norm.weft"
POOL = "stdlib/pool.weft"
RESNETS = "stdlib/resnet.weft"
VITS = "stdlib/vit.weft"
# Programs that use those, as what `std.` names lies beside the compiler.
OF_RESNETS = """weft 0.1
import "stdlib/resnet.weft": ResNet50
entry classify { net: ResNet50()  forward(x: f32[1, 3, 64, 64]) -> logit: f32[1, 1000] { logit = net(x) } }
"""
OF_VITS = """weft 0.1
import "stdlib/vit.weft": Vit
entry classify {
  net: Vit(patch = 16, dim = 768, depth = 12, heads = 12, classes = 10)
  forward(x: f32[1, 3, 224, 224]) -> logit: f32[1, 10] { logit = net(x) }
}
"""
SOFTMAX = "stdlib/softmax.weft"
LINEAR = "stdlib/linear.weft"

# file, what is replaced (its first occurrence), by what, the code, the underlined text, words of the message, its notes or
# suggestions; and the file or program that is checked, if it is another
MISTAKES = [
    # Names.
    (SOFTMAX, "exp(x[n] - peak)\n  scale", "exp(x[n] - peek)\n  scale", "unknown-name", "peek", ["did you mean `peak`?"]),
    (MLP, "layer3(relu(layer2", "layer3(relu(layr2", "unknown-name", "layr2", ["did you mean `layer2`?"]),
    (VITS, "import std.activation: gelu", "import std.activation: gleu", "unknown-import", "gleu", ["did you mean `gelu`?"]),
    (RESNET, "import std.photo: imagenet_crop", "import std.phto: imagenet_crop", "unknown-module", "std.phto", ["std.photo"]),
    (MINILM, '"../bert_base/bert.weft"', '"../bert_bse/bert.weft"', "unknown-module", '"../bert_bse/bert.weft"', ["cannot be read"]),
    (UNET, "import std.pool: max_pool2d\n", "", "unknown-name", "max_pool2d", ["nothing here is called"]),
    (MOBILENET, "net: MobileNetV2()", "net: MobilNetV2()", "unknown-name", "MobilNetV2", ["did you mean `MobileNetV2`?"]),
    (LINEAR, "net.bias[o] + sum(i) x[a, b, i]", "net.bais[o] + sum(i) x[a, b, i]", "unknown-member", "bais", ["`Linear`", "did you mean `bias`?"]),
    (UNET, "model Down(cin", "op relu(x: float) -> y: float { y = maximum(x, 0) }\n\nmodel Down(cin", "duplicate-name", "relu", ["first declared here"]),
    (ATTENTION, "  open[i, j] = score[i, j] if j <= i", "  opne[i, j] = score[i, j] if j <= i", "unknown-name", "open", ["did you mean `opne`?"]),
    (RESNETS, "  bn2: BatchNorm(width)", "  bn2: BatchNorm(width)\n  bn1: BatchNorm(width)", "duplicate-name", "bn1", ["first declared here"]),
    (NORM, "mean(k) x[n, k, ..s]\n    var[n, ..s]", "mean(n) x[n, n, ..s]\n    var[n, ..s]", "name-in-use", "n", ["bound here"]),
    (CONV, "model Conv1d(cin: int", "model Conv1d(cin: intt", "unknown-name", "intt", ["did you mean `int`?"]),
    (BERT_BASE, "entry encode {", "entry encode { forward(x: f32[2]) -> y: f32[2] { y = x } }\n\nentry encode {", "duplicate-name", "encode", ["first declared here"]),
    # Calls.
    (RESNETS, "Conv2d(3, width, 7, stride = 2", "Conv2d(3, width, 7, strid = 2", "unknown-argument", "strid = 2", ["did you mean `stride`?"]),
    (VITS, "norm: LayerNorm(dim, eps", "norm: LayerNorm(eps", "missing-argument", "LayerNorm(eps = 1e-6)", ["`dim`", "declared here"]),
    (ATTENTION, "p[i] = softmax(score[i])\n  o[i, e] = sum(j) p[i, j] * v[j, e]\n}\n\n/// The same where key", "p[i] = softmax(score[i], 1)\n  o[i, e] = sum(j) p[i, j] * v[j, e]\n}\n\n/// The same where key", "argument-count", "1", ["`softmax`", "1 value"]),
    (MLP, "logit = net(flat)", "logit = net.forwards(flat)", "unknown-member", "forwards", ["did you mean `forward`?"]),
    (UNET, "conv(max_pool2d(x, size = 2))", "conv(max_pool2d(x))", "missing-argument", "max_pool2d(x)", ["`size`"]),
    (VITS, "last[:, 0]", "last(:, 0)", "reduction-index", ":", ["`last(...)` names the indices"]),
    (BERT, "y = narrow(gelu(widen(a)), a)", "y = narrow(gelu(widen(a)))", "missing-argument", "narrow(gelu(widen(a)))", ["`x`", "declared here"]),
    (MINILM, "pooled[b] = masked_mean(hidden[b], seen[b])", "pooled[b] = masked_mean(hidden[b], mask[b])", "type-mismatch", "mask[b]", ["`seen`", "bool"]),
    # Ranks and sizes.
    (MLP, "prob[b] = softmax(logit[b])", "prob = softmax(logit)", "rank-mismatch", "logit", ["2 axes", "1 expected"]),
    (MLP, "net: Mlp(784, 256, 128, 10)", "net: Mlp(748, 256, 128, 10)", "size-mismatch", "flat", ["784", "748"]),
    (MLP, "layer2 as \"3\": Linear(hidden1, hidden2)", "layer2 as \"3\": Linear(hidden2, hidden2)", "size-mismatch", "relu(layer1(x))", ["hidden1", "hidden2"]),
    (UNET, "up2: Up(512, 256)", "up2: Up(512, 128)", "size-mismatch", "d2", ["256", "128"]),
    (RESNETS, "fc: Linear(32 * width, classes)", "fc: Linear(16 * width, classes)", "size-mismatch", "features(x)", ["2048", "1024"], OF_RESNETS),
    (VITS, "qkv: Linear(dim, 3*dim)", "qkv: Linear(dim, 2*dim)", "group-size", "(t, h, d)", ["2304", "1536"], OF_VITS),
    (VITS, "mlp: Mlp(dim, 4*dim)", "mlp: Mlp(4*dim, dim)", "size-mismatch", "norm2(h)", ["4*dim", "dim"]),
    (ATTENTION, "score[i, j] = scale * sum(d) q[i, d] * k[j, d]\n  p", "score[i, j] = scale * sum(d) q[i, d] * k[d, j]\n  p", "size-mismatch", "d", ["D", "T"]),
    (SOFTMAX, "op softmin(x: float[N]) -> y: float[N]", "op softmin(x: float[N]) -> y: float[M]", "unbound-dimension", "M", ["stands alone in no parameter"]),
    (BERT_BASE, "-> hidden: f32[B, T, 768]", "-> hidden: f32[B, T, 786]", "size-mismatch", "net(ids, seen)", ["768", "786"]),
    (VITS, "blocks: [Block(dim, heads); depth]", "blocks: [Block(dim, heads); image/depth]", "not-divisible", "image/depth", ["56/3"], OF_VITS),
    (BERT, 'narrow as "output": Output(hidden, dim', 'narrow as "output": Output(dim, dim', "size-mismatch", "gelu(widen(a))", ["3072", "768"], BERT_BASE),
    (MINILM, "net: Bert(dim = 384,", "net: Bert(dim = 768,", "size-mismatch", "", ["768", "384"]),
    (MINILM, "heads = 12", "heads = 7", "not-divisible", "dim/heads", ["384/7", "`Layer.forward` is called here"]),
    # Indices.
    (MINILM, "(sum(t where seen[t]) x[t, d])", "(sum(t where seen[t]) x[t])", "mixed-rows", "x[t]", ["row"]),
    (POOL, "max(s < size) (x[n, c, j*stride + s*dilation - pad] else -inf)", "max(s < size) x[n, c, j*stride + s*dilation - pad]", "out-of-range", "j*stride + s*dilation - pad", ["`else`"]),
    (VITS, "cls_token[0, 0, d] + pos_embed[0, 0, d] if l == 0\n        else part[b, l - 1, d] + place[l - 1, d]", "cls_token[0, 0, d] + part[b, l - 1, d]", "out-of-range", "l - 1", ["can lie outside"]),
    (UNET, "wide[n, c - cout, i, j]", "wide[n, c, i, j]", "out-of-range", "c", ["2*cout", "cout"]),
    (BERT, "token_type_embeddings[0, d]", "token_type_embeddings[2, d]", "out-of-range", "2", ["2 elements"]),
    (NORM, "y[n, k, ..s] = (x[n, k, ..s] - center[k])", "y[n, k, ..s] = (x[n, k] - center[k])", "rank-mismatch", "", ["6 axes", "its declaration 4"]),
    (BERT_BASE, "ids: int[B, T] in 0..30522", "ids: int[B, T]", "int-range", "ids", ["0..", "clip"]),
    (VITS, "flat[b, i, (h, d)] = o[b, h, i, d]\n    y = proj", "flat[b, i, h*d] = o[b, h, i, d]\n    y = proj", "index-expression", "h*d", []),
    # Types and stages.
    (MLP, "f32(image[b, i, j]) / 255", "image[b, i, j] / 255", "type-mismatch", "", ["u8"]),
    (MINILM, "seen[b, t] = mask[b, t] == 1", "seen[b, t] = mask[b, t]", "type-mismatch", "seen", ["`seen`", "bool"]),
    (BERT, "layers as \"encoder.layer\": [Layer(dim, heads, hidden, eps = eps); depth]", "layers as \"encoder.layer\": [Layer(dim, heads, hidden, eps = eps); 2.5]", "not-divisible", "2.5", ["length of a list"]),
    (ATTENTION, "use_bias = use_bias)\n  proj", "use_bias = 1)\n  proj", "type-mismatch", "use_bias = 1", ["bool"]),
    (CONV, "groups = groups, pad_right = pad_right)", "groups = weight, pad_right = pad_right)", "stage", "groups = weight", ["before `;`"]),
    (MOBILENET, "for layer in conv { h = layer(h) }", "for layer in cin { h = layer(h) }", "stage", "cin", ["list"]),
    (UNET, "H in 16..2048 step 16", "H in 16..2048 step 15", "invalid-expression", "15", ["must divide"]),
    (MOBILENET, "dim H in 32..8192", "dim H in 8192..32", "invalid-expression", "8192..32", ["lo <= hi"]),
    # Grammar.
    (SOFTMAX, "e[n] = exp(x[n] - peak)\n", "e[n] = exp(x[n] - peak\n", "unclosed-bracket", "(", []),
    (UNET, "    y = relu(norm2(conv2(h)))\n  }\n}", "    y = relu(norm2(conv2(h)))\n  }", "unclosed-bracket", "{", []),
    (RESNETS, "h = relu(bn1(conv1(x)))", "h = relu(bn1(conv1(x))))", "stray-bracket", ")", []),
    (MLP, "layer1 as \"0\": Linear", "layer1 as \"0: Linear", "unterminated-string", "", []),
    (NORM, "scale[..s] * weight[i]", "scale[..s] × weight[i]", "invalid-character", "×", ["write `*`"]),
    (VITS, "model Mlp(dim: int, hidden: int) {", "modle Mlp(dim: int, hidden: int) {", "unknown-declaration", "modle", ["did you mean `model`?"]),
    (MLP, "weft 0.1\n", "", "missing-version", "import", ["weft 0.1"]),
    (BERT, "-> y: float[B, T, dim] where T <= positions {", "-> y: float[B, T, dim] where T <= {", "unexpected-token", "{", []),
    (MOBILENET, "y = x + h if stride == 1 and cin == cout else h", "if stride == 1 { y = x + h }", "unexpected-token", "if", ["no statement `if`"]),
    (ATTENTION, "open[i, j] = score[i, j] if seen[j] else -3.4e38", "open[i, j] = score[i, j] if seen[j]", "stage", "seen[j]", ["absence"]),
    (LINEAR, "sum(i) x[..s, i] * weight[o, i]\n", "sum(i) x[..s, i] * weight[o, i] + 1\n", "open-reduction", "+", ["say where"]),
    (SOFTMAX, "op softmin(x: float[N]) -> y: float[N] { y = softmax(-x) }", "op softmin(x: float[N]) -> y: float[N] { y = softmin(-x) }", "recursion", "softmin(-x)", ["applies itself"]),
    (BERT, "import std.linear: Linear, Embedding", "import \"bert_base.weft\": encode\nimport std.linear: Linear, Embedding", "import-cycle", '"bert.weft"', ["bert_base.weft"]),
    (CONV, "where K % groups == 0: \"{K} outputs do not fall into {groups} groups\"\n{\n  y[n, k, j]", "where K % groups = 0: \"{K} outputs do not fall into {groups} groups\"\n{\n  y[n, k, j]", "unexpected-token", "=", []),
]
# Arguments that fit no program: the command, the code, words.
COMMANDS = [
    (["compile", MLP, "--dim", "B=5000"], "invalid-expression", ["`B` cannot be 5000", "1..1024"]),
    (["compile", MLP, "--dim", "C=1"], "unknown-member", ["`C`"]),
    (["compile", MLP, "--entry", "clasify"], "no-entry", ["did you mean `classify`?"]),
    (["compile", BERT], "no-entry", ["no entry"]),
]


def run(weft, folder, *arguments):
    return subprocess.run([weft, *arguments], cwd=folder, capture_output=True, text=True, check=False)


def underlined(folder, report):
    lines = (pathlib.Path(folder) / report["file"]).read_text().split("\n")[report["line"] - 1 : report["end_line"]]
    lines[-1] = lines[-1][: report["end_column"] - 1]
    lines[0] = lines[0][report["column"] - 1 :]
    return "\n".join(lines)


def problems_of(weft, folder, mistake, show):
    file, old, new, code, guilty, words, *other = mistake
    path = pathlib.Path(folder) / file
    text = (ROOT / file).read_text()
    if old not in text:
        yield "the text is not in the file any more"
        return
    path.write_text(text.replace(old, new, 1))
    checked = other[0] if other else file
    if "\n" in checked:
        (pathlib.Path(folder) / "program.weft").write_text(checked)
        checked = "program.weft"
    if show:
        print(run(weft, folder, "check", checked).stderr, flush=True)
    answer = run(weft, folder, "check", "--json", checked)
    reports = json.loads(answer.stdout)
    if answer.returncode != 1:
        yield f"exit code {answer.returncode}"
    if [report["code"] for report in reports] != [code]:
        yield "reports " + "; ".join(f"{r['code']} ({r['file']}:{r['line']}: {r['message']})" for r in reports)
    else:
        report = reports[0]
        if guilty and underlined(folder, report) != guilty:
            yield f"underlines `{underlined(folder, report)}`"
        said = [report["message"], *report["suggestions"]]
        said += [note["message"] for note in report["notes"] + report["labels"]]
        for word in words:
            if word not in "\n".join(said):
                yield f"does not say `{word}`: {said}"
    path.write_text(text)


def command_problems(weft, folder, arguments, code, words):
    answer = run(weft, folder, *arguments)
    if answer.returncode != 1 or answer.stderr.count(": error: ") != 1 or f"[{code}]" not in answer.stderr:
        yield answer.stderr
    yield from (f"does not say `{word}`: {answer.stderr}" for word in words if word not in answer.stderr)


def main():
    weft = os.path.abspath(sys.argv[1])
    show = "--show" in sys.argv
    failures = 0
    with tempfile.TemporaryDirectory() as folder:
        for part in ("examples", "stdlib"):
            shutil.copytree(ROOT / part, pathlib.Path(folder) / part)
        for mistake in MISTAKES:
            for problem in problems_of(weft, folder, mistake, show):
                failures += 1
                print(f"{mistake[0]}: `{mistake[1]}` -> `{mistake[2]}`: {problem}", flush=True)
        for command in COMMANDS:
            for problem in command_problems(weft, folder, *command):
                failures += 1
                print(f"weft {' '.join(command[0])}: {problem}", flush=True)
    print(f"{len(MISTAKES) + len(COMMANDS)} mistakes, {failures} problems")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
