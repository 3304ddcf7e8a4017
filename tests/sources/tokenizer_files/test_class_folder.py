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

from forensics.errors import BadInputError
from forensics.sources import open_tokenizer
from forensics.sources.tokenizer_files.class_names import CLASS_OF_MODEL_TYPE
from forensics.sources.tokenizer_files.class_recipes import (
    JSON_BPE,
    MARIAN,
    RECIPES,
    SPM,
    SPM_AND_VOCAB,
    UNREAD_CLASSES,
)
from forensics.vocabulary.build import build_vocabulary
from tests.extras import need

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
SENTENCES = (
    "the cat sat on the mat and the dog ran to the man with a hat it's don't we'll cats dogs mats 12 345 "
    "naïve café ( ) [ ] . , ' quoted text brackets inside two spaces and three"
)
WORDS = SENTENCES.split()
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
        kind = {"SpeechT5Tokenizer": "char", "GPTSw3Tokenizer": "bpe"}.get(name, kind)
        layout = "t5" if recipe.roles.get("eos") == "</s>" and "bos" not in recipe.roles else "fairseq"
        layout = "albert" if recipe.roles.get("cls") == "[CLS]" else layout
        file_names = getattr(_class(name), "vocab_files_names", {}) if name not in NOT_COMPARED else {}
        path = folder / str(file_names.get("vocab_file", "sentencepiece.bpe.model"))
        path.write_bytes(sentencepiece_model(kind, layout))
    elif recipe.files in (SPM_AND_VOCAB, MARIAN):
        model = sentencepiece_model("bpe" if name == "M2M100Tokenizer" else "unigram", "fairseq")
        (folder / "sentencepiece.bpe.model").write_bytes(model)
        pieces = open_tokenizer(folder / "sentencepiece.bpe.model").pieces[3:]
        first = ["<s>", "<pad>", "</s>", "<unk>"]
        if recipe.files == MARIAN:
            first = ["</s>", "<unk>"]
            for side in ("source", "target"):
                (folder / f"{side}.spm").write_bytes(model)
            (folder / "sentencepiece.bpe.model").unlink()
        # The table has an order of its own, and Marian's padding at the end.
        table = dict.fromkeys([*first, *reversed(pieces), "<pad>"])
        ids = {piece: at for at, piece in enumerate(table)}
        (folder / "vocab.json").write_text(json.dumps(ids), encoding="utf-8")
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
    transformers = need("transformers")
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
    wanted = dict(enumerate(theirs.convert_ids_to_tokens(list(range(len(theirs))))))
    # As written: asked for an id, the library gives the text of an added token normalized.
    wanted |= {at: text for text, at in theirs.get_vocab().items()}
    # M2M-100 knows its languages' ids and does not count them.
    wanted |= getattr(theirs, "id_to_lang_token", {})
    assert dict(enumerate(ours.pieces)) == wanted
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
    vocabulary = build_vocabulary(open_tokenizer(folder))
    met = {token_id for text in TEXTS for token_id in encode(built, text, special=False)}
    wrong = [i for i in sorted(met) if vocabulary.category[i].startswith("unreachable")]
    assert [vocabulary.pieces[i] for i in wrong] == []
    # SigLIP's code cleans texts with punctuation or spaces at an end in a way that no steps repeat.
    assert_same(folder, built, TEXTS if name != "SiglipTokenizer" else ("the cat sat", "zzzz", "a dog"))
    if RECIPES[name].template:
        ours = open_tokenizer(folder).encoder
        assert ours.encode("the cat").ids == encode(built, "the cat", special=True)


FLAGS = {"lstrip": False, "rstrip": False, "single_word": False, "normalized": False, "special": False}


def decoder(size: int) -> dict[str, dict]:
    """An `added_tokens_decoder` with every way of matching, from id `size` on."""
    tokens = [
        {"content": "<left>", "lstrip": True, "special": True},
        {"content": "<right>", "rstrip": True},
        {"content": "cat", "single_word": True},
        {"content": "Hat", "normalized": True},
        {"content": "<left>", "special": True},
    ]
    return {str(size + at): {**FLAGS, **token} for at, token in enumerate(tokens)}


MATCHED = (
    *TEXTS,
    "a <left> b <right> c",
    "cats cat concat",
    "a Hat hat HAT",
    "x<left><right>y",
    "<a><b> <c>",
)
VARIED = ("GPT2Tokenizer", "Qwen2Tokenizer", "XLMRobertaTokenizer", "BertTokenizer", "LlamaTokenizer",
          "T5Tokenizer", "CLIPTokenizer", "AlbertTokenizer", "MBartTokenizer")  # fmt: skip


@pytest.mark.parametrize("name", VARIED)
def test_added_tokens_decoder_counts(name: str, tmp_path: Path) -> None:
    size = len(_class(name).from_pretrained(str(write_folder(tmp_path / "bare", name))))
    folder = write_folder(tmp_path / "added", name, added_tokens_decoder=decoder(size))
    assert_same(folder, _class(name).from_pretrained(str(folder)), MATCHED)


@pytest.mark.parametrize("name", VARIED)
def test_added_tokens_json_and_special_tokens_map_count(name: str, tmp_path: Path) -> None:
    size = len(_class(name).from_pretrained(str(write_folder(tmp_path / "bare", name))))
    folder = write_folder(tmp_path / "added", name)
    (folder / "added_tokens.json").write_text(json.dumps({"<b>": size + 1, "<a>": size, "<c>": size + 2}))
    mask = {**FLAGS, "content": "<a>", "lstrip": True}
    del mask["special"]
    special = {"mask_token": mask, "pad_token": "<b>", "additional_special_tokens": ["<c>"]}
    (folder / "special_tokens_map.json").write_text(json.dumps(special))
    assert_same(folder, _class(name).from_pretrained(str(folder)), MATCHED)


@pytest.mark.parametrize("name", VARIED)
def test_further_special_tokens_count(name: str, tmp_path: Path) -> None:
    config = {"additional_special_tokens": ["<a>", "<b>"], "pad_token": "<new pad>"}
    if name == "T5Tokenizer":
        config["additional_special_tokens"] += [f"<extra_id_{number}>" for number in range(100)]
    folder = write_folder(tmp_path / "added", name, **config)
    assert_same(folder, _class(name).from_pretrained(str(folder)), MATCHED)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("BertTokenizer", {"do_lower_case": False}),
        ("BertTokenizer", {"strip_accents": False, "tokenize_chinese_chars": False}),
        ("AlbertTokenizer", {"do_lower_case": False, "keep_accents": True}),
        ("XLNetTokenizer", {"do_lower_case": True}),
        ("RemBertTokenizer", {"do_lower_case": True, "keep_accents": False}),
        ("DebertaV2Tokenizer", {"do_lower_case": True, "split_by_punct": True, "add_prefix_space": False}),
        ("XLMRobertaTokenizer", {"add_prefix_space": False}),
        ("LlamaTokenizer", {"legacy": True}),
        ("LlamaTokenizer", {"add_prefix_space": False}),
        ("T5Tokenizer", {"extra_ids": 5}),
        ("RobertaTokenizer", {"add_prefix_space": True}),
        ("BlenderbotTokenizer", {"add_prefix_space": False}),
        ("Tipsv2Tokenizer", {"do_lower_case": False}),
        ("Qwen2Tokenizer", {"add_prefix_space": True}),
    ],
)
def test_options_of_the_class_count(name: str, options: dict, tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "options", name, **options)
    assert_same(folder, _class(name).from_pretrained(str(folder)))


def test_every_class_of_transformers_is_read_or_listed() -> None:
    auto = pytest.importorskip("transformers.models.auto.tokenization_auto")
    generic = {"TokenizersBackend", "MistralCommonBackend", "ParakeetTokenizer", "RagTokenizer", None}
    names = {name.removesuffix("Fast") if name else None for name in auto.TOKENIZER_MAPPING_NAMES.values()}
    assert names - generic - set(RECIPES) - set(UNREAD_CLASSES) == set()
    for model_type, name in CLASS_OF_MODEL_TYPE.items():
        assert auto.TOKENIZER_MAPPING_NAMES[model_type].removesuffix("Fast") == name


def test_a_class_that_is_not_read_is_refused_with_the_reason(tmp_path: Path) -> None:
    write_folder(tmp_path, "GPT2Tokenizer")
    (tmp_path / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "BioGptTokenizer"}))
    with pytest.raises(BadInputError, match="BioGptTokenizer, which cuts text with code of its own"):
        open_tokenizer(tmp_path)


def test_the_class_comes_from_the_model_type_where_nothing_names_it(tmp_path: Path) -> None:
    write_folder(tmp_path, "XLMRobertaTokenizer")
    (tmp_path / "tokenizer_config.json").unlink()
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "xlm-roberta"}))
    source = open_tokenizer(tmp_path)
    assert source.pieces[:4] == ("<s>", "<pad>", "</s>", "<unk>")
    assert source.pretokenizer_origin == "class XLMRobertaTokenizer (config.json, model type xlm-roberta)"


def test_languages_of_nllb_stand_before_the_mask(tmp_path: Path) -> None:
    """As in the released matrices: 256,001 is ace_Arab and 256,203 <mask>, over 256,000 pieces."""
    source = open_tokenizer(write_folder(tmp_path, "NllbTokenizer"))
    size = source.pieces.index("ace_Arab")
    assert size == 1 + sum(1 for _ in open_tokenizer(next(tmp_path.glob("*.model"))).pieces)
    assert source.pieces[size + 201 :] == ("zul_Latn", "<mask>")


def test_pieces_of_clip_are_reachable_at_the_end_of_a_word_and_before(tmp_path: Path) -> None:
    """`cat</w>` ends a word and `ca` does not: both come up when transformers encodes the words of a text."""
    folder = write_folder(tmp_path, "CLIPTokenizer")
    source = open_tokenizer(folder)
    vocabulary = build_vocabulary(source)
    at = source.pieces.index("cat</w>")
    assert (vocabulary.category[at], vocabulary.text[at]) == ("ok", "cat")
    theirs = _class("CLIPTokenizer").from_pretrained(str(folder))
    tried = ["cats", "catalog", "mathematics", "dogma", "123", "sandy", "ranty", "withdrawn", "toad", "seat"]
    met = {token_id for text in tried for token_id in encode(theirs, text, special=False)}
    assert {token_id for token_id in met if not vocabulary.category[token_id].startswith("ok")} == set()
    assert any(vocabulary.context[token_id] == "before a letter" for token_id in met)


@pytest.mark.parametrize(
    ("name", "renamed"),
    [
        ("BertTokenizer", {"vocab.txt": "bert-base-uncased-vocab.txt"}),
        ("GPT2Tokenizer", {"vocab.json": "encoder.json", "merges.txt": "vocab.bpe"}),
        ("RobertaTokenizer", {"vocab.json": "roberta-large-vocab.json", "merges.txt": "roberta-merges.txt"}),
        ("T5Tokenizer", {"spiece.model": "anything.model"}),
    ],
)
def test_vocabularies_go_by_other_names(name: str, renamed: dict, tmp_path: Path) -> None:
    usual = open_tokenizer(write_folder(tmp_path / "usual", name))
    folder = write_folder(tmp_path / "other", name)
    for old, new in renamed.items():
        (folder / old).rename(folder / new)
    assert open_tokenizer(folder).pieces == usual.pieces
    if name == "BertTokenizer":
        assert open_tokenizer(folder / renamed["vocab.txt"]).pieces == usual.pieces
    if name == "GPT2Tokenizer":
        assert open_tokenizer(folder / "encoder.json").pieces == usual.pieces
