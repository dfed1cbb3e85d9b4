"""Sentences nearest to a query: python nearest.py PROGRAM WEIGHTS VOCABULARY [--query TEXT] [SENTENCE...]

PROGRAM is minilm.weft compiled; WEIGHTS a safetensors file, VOCABULARY the vocab.txt beside it. Tokenizing is done by the
package tokenizers, embedding by the program; the score is the cosine of the two embeddings.
"""

import argparse
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
from tokenizers import BertWordPieceTokenizer

QUERY = "How do I get my money back?"
SENTENCES = [
    "Refunds are paid out within five working days.",
    "The cat sleeps on the warm window sill.",
    "You can return the article and will be reimbursed.",
    "A compiler translates programs into machine code.",
    "Kittens love to play with wool.",
    "Our shop is open from nine to five.",
]


def embed(program, weights, vocabulary, sentences):
    """One unit vector per sentence."""
    tokenizer = BertWordPieceTokenizer(vocabulary, lowercase=True)
    tokenizer.enable_truncation(max_length=256)
    tokenizer.enable_padding()
    encoded = tokenizer.encode_batch(sentences)
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        np.save(folder / "ids.npy", np.array([e.ids for e in encoded], dtype=np.int64))
        np.save(folder / "mask.npy", np.array([e.attention_mask for e in encoded], dtype=np.int64))
        subprocess.run([program, "--weights", weights, "--input", f"ids={folder / 'ids.npy'}",
                        "--input", f"mask={folder / 'mask.npy'}", "--output", f"embedding={folder / 'out.npy'}"],
                       check=True)
        return np.load(folder / "out.npy")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("weights")
    parser.add_argument("vocabulary")
    parser.add_argument("--query", default=QUERY)
    parser.add_argument("sentences", nargs="*", default=SENTENCES, metavar="SENTENCE")
    arguments = parser.parse_args()
    try:
        vectors = embed(arguments.program, arguments.weights, arguments.vocabulary,
                        [arguments.query] + arguments.sentences)
    except subprocess.CalledProcessError as error:
        return error.returncode
    scores = vectors[1:] @ vectors[0]
    print(arguments.query)
    for place in np.argsort(-scores, kind="stable"):
        print(f"  {scores[place]:.3f}  {arguments.sentences[place]}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
