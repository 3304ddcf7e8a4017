"""Damaged files of every kind are read or refused in one line: a small, seeded form of fuzzing.

Every file is opened and what it holds is analysed, because a header that passes may promise numbers that
no later step is prepared for.
"""

import base64
import io
import json
import random
import struct
import warnings

import numpy as np
import pytest

from forensics.errors import ForensicsError
from forensics.runs.tokens import tokens
from forensics.sources.checkpoints.checkpoint import open_checkpoint
from forensics.undertrained.weights import Matrices, analyse_weights

V, D, FILES = 40, 16, 60
EMBED, HEAD = "model.embed_tokens.weight", "lm_head.weight"
JUNK = [None, True, 0, -1, 1 << 40, 1 << 70, 1.5, float("nan"), "", "x", "\ud800", "a" * 5000, [], [[]], {},
        [None], {"": None}, "../../etc/passwd"]  # fmt: skip
CONFIG = {"model_type": "llama", "architectures": ["LlamaForCausalLM"], "vocab_size": V, "hidden_size": D,
          "tie_word_embeddings": False}  # fmt: skip


def matrices():
    rng = np.random.default_rng(0)
    return {name: rng.standard_normal((V, D)).astype(np.float32) for name in (EMBED, HEAD)}


def safetensors_bytes():
    import safetensors.numpy

    return safetensors.numpy.save(matrices())


def packed_bytes():
    import safetensors.numpy

    codes = np.zeros((V, D // 2), dtype=np.uint8)
    head = {"lm_head.weight_packed": codes, "lm_head.weight_scale": np.full((V, 1), 127, dtype=np.uint8)}
    return safetensors.numpy.save({EMBED: matrices()[EMBED], **head})


def bin_bytes():
    torch = pytest.importorskip("torch")
    stream = io.BytesIO()
    torch.save({name: torch.tensor(values) for name, values in matrices().items()}, stream)
    return stream.getvalue()


def gguf_bytes(tmp_path):
    import gguf

    writer = gguf.GGUFWriter(tmp_path / "base.gguf", "llama")
    writer.add_embedding_length(D)
    writer.add_tensor("token_embd.weight", matrices()[EMBED].astype(np.float16))
    writer.add_tensor("output.weight", matrices()[HEAD])
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return (tmp_path / "base.gguf").read_bytes()


def damaged(rng, sound):
    """Change some bytes, most of them near the beginning, where the tables are."""
    data = bytearray(sound)
    for _ in range(rng.choice((1, 1, 2, 3, 8, 30))):
        at, how = rng.randrange(max(1, min(len(data), 2000))), rng.random()
        if how < 0.5:
            data[at : at + 1] = bytes([rng.choice((0, 1, 127, 128, 255, rng.randrange(256)))])
        elif how < 0.7:
            number = rng.choice((0, 1, 1 << 31, 1 << 62, (1 << 64) - 1, len(data)))
            data[at : at + 8] = struct.pack("<Q", number)
        elif how < 0.9:
            del data[at : at + rng.choice((1, 4, 8, 100))]
        else:
            del data[at:]
    return bytes(data)


def damaged_json(rng, value):
    """Put junk in the place of one entry, at any depth."""
    value = json.loads(json.dumps(value))
    places = []

    def walk(node):
        for key in node if isinstance(node, dict) else range(len(node)) if isinstance(node, list) else ():
            places.append((node, key))
            walk(node[key])

    walk(value)
    node, key = rng.choice(places)
    node[key] = rng.choice(JUNK)
    return json.dumps(value).encode("utf-8", "replace")


def scan(path):
    """Open the checkpoint and analyse its weights."""
    checkpoint = open_checkpoint(path)
    rows = checkpoint.embedding.shape[0]
    analyse_weights(
        Matrices(checkpoint.embedding, checkpoint.unembedding, checkpoint.head_bias),
        evidence={"special": [0]},
        eligible=np.ones(rows, dtype=bool),
        vocabulary_size=rows,
        rng=np.random.default_rng(0),
    )


@pytest.mark.parametrize("kind", ["safetensors", "packed", "bin", "gguf", "config", "index"])
def test_damaged_files_are_read_or_refused_in_one_line(kind, tmp_path):
    rng = random.Random(kind)
    sound = {"bin": bin_bytes, "gguf": lambda: gguf_bytes(tmp_path), "packed": packed_bytes}.get(
        kind, safetensors_bytes
    )()
    index = {"metadata": {}, "weight_map": dict.fromkeys((EMBED, HEAD), "model-00001-of-00001.safetensors")}
    folder = tmp_path / "model"
    folder.mkdir()
    name = {"bin": "pytorch_model.bin", "gguf": "model.gguf", "index": "model-00001-of-00001.safetensors"}
    weights = folder / name.get(kind, "model.safetensors")
    refused = 0
    for _ in range(FILES):
        weights.write_bytes(sound if kind in ("config", "index") else damaged(rng, sound))
        (folder / "config.json").write_bytes(
            damaged_json(rng, CONFIG) if kind == "config" else json.dumps(CONFIG).encode()
        )
        if kind == "index":
            (folder / "model.safetensors.index.json").write_bytes(damaged_json(rng, index))
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", RuntimeWarning)
                scan(folder)
        except ForensicsError as error:
            refused += 1
            assert len(str(error).splitlines()) == 1
    assert refused > 0 or kind == "config"


def tokenizer_json():
    tokenizers = pytest.importorskip("tokenizers")
    tokenizer = tokenizers.Tokenizer(tokenizers.models.BPE())
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = tokenizers.trainers.BpeTrainer(
        vocab_size=70, special_tokens=["<s>", "<unused0>"], show_progress=False
    )
    tokenizer.train_from_iterator(["the quick brown fox jumps over the lazy dog"] * 4, trainer)
    return json.loads(tokenizer.to_str())


def sentencepiece_bytes(kind):
    sentencepiece = pytest.importorskip("sentencepiece")
    stream = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(["the quick brown fox jumps over the lazy dog"] * 20), model_writer=stream,
        vocab_size=40, hard_vocab_limit=False, model_type=kind, minloglevel=2,
    )  # fmt: skip
    return stream.getvalue()


def ranks_bytes():
    ranks = [*(bytes([value]) for value in range(256)), b"th", b"the", b" t", b" the"]
    return b"".join(base64.b64encode(token) + b" %d\n" % rank for rank, token in enumerate(ranks))


@pytest.mark.parametrize("name", ["tokenizer.json", "unigram.model", "bpe.model", "x.tiktoken"])
def test_damaged_tokenizers_are_read_or_refused_in_one_line(name, tmp_path, capfd):
    rng = random.Random(name)
    kinds = {"x.tiktoken": ranks_bytes, "tokenizer.json": tokenizer_json}
    sound = kinds[name]() if name in kinds else sentencepiece_bytes(name.removesuffix(".model"))
    refused = 0
    for _ in range(FILES):
        broken = damaged_json(rng, sound) if isinstance(sound, dict) else damaged(rng, sound)
        (tmp_path / name).write_bytes(broken)
        try:
            tokens(tmp_path / name)
        except ForensicsError as error:
            refused += 1
            assert len(str(error).splitlines()) == 1
    assert refused > 0
    assert "panicked" not in capfd.readouterr().err
