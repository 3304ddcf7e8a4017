"""Folders without `tokenizer.json`: what every class of the installed transformers makes of tiny files.

transformers is the oracle: ids, pieces and encodings agree, id by id. Classes that cannot be compared stand
in `NOT_COMPARED` with the reason.
"""

from __future__ import annotations

import io
import json
from functools import cache
from pathlib import Path

import pytest
from tokenizers import Regex, Tokenizer, models, pre_tokenizers, trainers

from forensics.sources import open_tokenizer
from forensics.sources.tokenizer_files.class_recipes import JSON_BPE, RECIPES, SPM

TEXTS = (
    "The cat sat on the mat.",
    "  two spaces  and three   ",
    "naïve Café ÉCOLE 東京 12345",
    "it's don't I'LL",
    "a\nb\tc\r\n",
    "``quoted'' text, (brackets) [x] <y>",
    "<s>inside</s> <mask> x <pad>",
    " <mask> [MASK] x",
    "zzzz",
    "",
)
WORDS = (
    "the cat sat on the mat and the dog ran to the man with a hat it's don't we'll cats dogs mats 12 345 "
    "naïve café ( ) [ ] . , ' quoted text brackets inside two spaces and three"
).split()  # noqa: SIM905
LINES = [" ".join(WORDS[at:] + WORDS[:at]) for at in range(len(WORDS))]

#: Class -> why the installed transformers cannot be asked.
NOT_COMPARED = {
    "GemmaTokenizer": "transformers 5 reads it from tokenizer.json only; 4 read tokenizer.model",
    "Siglip2Tokenizer": "transformers 5 reads it from tokenizer.json only; 4 read tokenizer.model",
    "XGLMTokenizer": "transformers 5 reads it from tokenizer.json only; 4 read sentencepiece.bpe.model",
    "NllbTokenizer": "numbers <mask> before the language codes since 5, against the released matrices",
    "FNetTokenizer": "loses its own normalizer in transformers 5; 4 read it as ALBERT",
    "Qwen3_5Tokenizer": "transformers 5 reads it from tokenizer.json only; the pattern is that of its code",
    "MarkupLMTokenizer": "needs a dictionary of HTML tags to be built at all",
    "ElectraTokenizer": "no class of its own any more (BertTokenizer)",
    "LayoutLMTokenizer": "no class of its own any more (BertTokenizer)",
    "RealmTokenizer": "no class of its own any more (BertTokenizer)",
    "RetriBertTokenizer": "no class of its own any more (BertTokenizer)",
}


@cache
def sentencepiece_model(kind: str, layout: str) -> bytes:
    """A small SentencePiece model whose special pieces stand as `layout` says."""
    import sentencepiece

    layouts: dict[str, dict] = {
        "fairseq": {"unk_id": 0, "bos_id": 1, "eos_id": 2, "pad_id": -1},
        "t5": {"pad_id": 0, "eos_id": 1, "unk_id": 2, "bos_id": -1},
        "albert": {
            "pad_id": 0,
            "unk_id": 1,
            "bos_id": -1,
            "eos_id": -1,
            "control_symbols": ["[CLS]", "[SEP]"],
            "user_defined_symbols": ["[MASK]"],
        },
    }
    data = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(LINES * 3), model_writer=data, vocab_size=110 if kind == "unigram" else 360,
        model_type=kind, character_coverage=1.0, hard_vocab_limit=False, minloglevel=2, num_threads=1,
        byte_fallback=kind == "bpe", **layouts[layout],
    )  # fmt: skip
    return data.getvalue()


@cache
def vocabulary_and_merges(end_of_word: str, byte_level: bool) -> tuple[dict[str, int], tuple[str, ...]]:
    """A small BPE with CLIP's or GPT-2's way of ending words."""
    ending = {"end_of_word_suffix": end_of_word} if end_of_word else {}
    tokenizer = Tokenizer(models.BPE(**ending))
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet()) if byte_level else []
    if byte_level and end_of_word:
        words = pre_tokenizers.Split(Regex(r"\p{L}+|\p{N}|[^\s\p{L}\p{N}]+"), "removed", invert=True)
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
            [words, pre_tokenizers.ByteLevel(add_prefix_space=False)]
        )
    elif byte_level:
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    else:
        tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    trainer = trainers.BpeTrainer(
        vocab_size=len(alphabet) * 2 + 140,
        initial_alphabet=alphabet,
        show_progress=False,
        **ending,
    )
    tokenizer.train_from_iterator(LINES, trainer)
    model = json.loads(tokenizer.to_str())["model"]
    # HerBERT's code has 0 and 2 for the tokens around a text.
    first = [] if byte_level else ["<s>", "<pad>", "</s>", "<unk>"]
    pieces = dict.fromkeys(
        [*first, *alphabet, *(c + end_of_word for c in alphabet), *model["vocab"], "<unk>"]
    )
    return {piece: at for at, piece in enumerate(pieces)}, tuple(" ".join(pair) for pair in model["merges"])


def write_folder(folder: Path, name: str, **config: object) -> Path:
    """Write the vocabulary files of a class and a tokenizer_config.json that names it."""
    folder.mkdir(parents=True, exist_ok=True)
    recipe = RECIPES[name]
    if recipe.files == SPM:
        kind = "bpe" if str(recipe.model) == "bpe" else "unigram"
        layout = "t5" if recipe.roles.get("eos") == "</s>" and "bos" not in recipe.roles else "fairseq"
        layout = "albert" if recipe.roles.get("cls") == "[CLS]" else layout
        file_names = getattr(_class(name), "vocab_files_names", {}) if name not in NOT_COMPARED else {}
        path = folder / str(file_names.get("vocab_file", "sentencepiece.bpe.model"))
        path.write_bytes(sentencepiece_model(kind, layout))
    elif recipe.files == JSON_BPE:
        vocab, merges = vocabulary_and_merges(recipe.end_of_word, recipe.byte_level)
        special = [text for text in recipe.roles.values() if text not in vocab]
        vocab = {**vocab, **{text: len(vocab) + at for at, text in enumerate(dict.fromkeys(special))}}
        (folder / "vocab.json").write_text(json.dumps(vocab), encoding="utf-8")
        (folder / "merges.txt").write_text("#version: 0.2\n" + "\n".join(merges) + "\n", encoding="utf-8")
    else:
        letters = sorted({character for word in WORDS for character in word})
        pieces = [*recipe.roles.values(), *letters, *(f"##{c}" for c in letters), *WORDS, "##s", "##at"]
        (folder / "vocab.txt").write_text("\n".join(dict.fromkeys(pieces)) + "\n", encoding="utf-8")
    (folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": name, **config}))
    return folder


def _class(name: str):
    transformers = pytest.importorskip("transformers")
    return getattr(transformers, name, None)


def encode(theirs, text: str, *, special: bool) -> list[int]:
    """What transformers' tokenizer makes of plain text (LayoutLM's asks for boxes beside it)."""
    backend = getattr(theirs, "backend_tokenizer", None)
    if backend is not None:
        backend.no_padding()
        backend.no_truncation()
        return backend.encode(text, add_special_tokens=special).ids
    return theirs.encode(text, add_special_tokens=special)


def assert_same(folder: Path, theirs, texts=TEXTS) -> None:
    """Compare every id and the encodings with transformers' own tokenizer."""
    ours = open_tokenizer(folder)
    wanted = theirs.convert_ids_to_tokens(list(range(len(theirs))))
    assert list(ours.pieces) == wanted
    for text in texts:
        got = ours.encoder.encode(text, add_special_tokens=False).ids
        assert got == encode(theirs, text, special=False), text
    for role in ("bos", "eos", "unk", "pad", "cls", "sep", "mask"):
        expected = getattr(theirs, f"{role}_token_id")
        if expected is not None and role in ours.special_roles:
            assert set(ours.special_roles[role].values()) == {expected}, role


@pytest.mark.parametrize("name", sorted(set(RECIPES) - set(NOT_COMPARED)))
def test_a_folder_reads_as_its_class_does(name: str, tmp_path: Path) -> None:
    theirs = _class(name)
    assert theirs is not None, f"{name} is not in the installed transformers: say so in NOT_COMPARED"
    folder = write_folder(tmp_path / "plain", name)
    built = theirs.from_pretrained(str(folder))
    assert_same(folder, built)
    if RECIPES[name].template:
        ours = open_tokenizer(folder).encoder
        assert ours.encode("the cat").ids == encode(built, "the cat", special=True)
