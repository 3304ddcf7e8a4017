"""`open_tokenizer`: any supported file, folder or name, recognised by what it holds."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from forensics.errors import BadInputError
from forensics.progress import Progress
from forensics.sources.gguf.file import GGUF_MAGIC
from forensics.sources.gguf.parts import first_part, whole_models
from forensics.sources.interface import TokenizerSource
from forensics.sources.locate import locate_model, model_name
from forensics.sources.tokenizer_files.class_recipes import JSON_BPE
from forensics.sources.tokenizer_files.vocab_lines import find_vocabulary

__all__ = ["open_tokenizer"]

#: Bytes that tell formats apart.
_HEAD = 4096
_RANK_LINE = re.compile(rb"\s*[A-Za-z0-9+/]+={0,2}[ \t]+\d+\s*(?:\r?\n|$)")
#: Files with weights: the tokenizer is looked for beside them.
_WEIGHT_SUFFIXES = (".safetensors", ".bin", ".pt", ".pth")
#: Files of single makers, each with a reader of its own.
_OWN_FILES = ("*tekken*.json", "rwkv_vocab*.txt")
_FOLDER_LAYOUTS = (
    "tokenizer.json, tekken.json, rwkv_vocab*.txt, a SentencePiece .model, a .tiktoken file, vocab.json with "
    "merges.txt, vocab.txt, or one .gguf"
)


def open_tokenizer(
    path: str | Path, *, offline: bool | None = None, progress: Progress | None = None
) -> TokenizerSource:
    """Read the tokenizer at `path`.

    :param path: A Hugging Face folder, a `tokenizer.json`, `.gguf`, SentencePiece `.model` or tiktoken
        rank file, a folder with `vocab.json` and `merges.txt` or with `vocab.txt`, a weight file with
        one of these beside it, a hub id, or `demo`.
    :param offline: Download nothing; None follows the `HF_HUB_OFFLINE` environment variable.
    :param progress: Where to report to.
    :return: The tokenizer, as its files have it: nothing is repaired.
    :raises BadInputError: If there is no tokenizer there, or one that is damaged or not supported.

    >>> source = open_tokenizer("results/some-model")  # doctest: +SKIP
    >>> source.encoder.encode("text", add_special_tokens=False).ids  # doctest: +SKIP
    """
    progress = progress or Progress()
    with progress.stage("reading the tokenizer"):
        found = locate_model(path, offline=offline, progress=progress)
        source = _open_folder(found) if found.is_dir() else _open_file(found)
    for note in source.notes:
        progress.note(f"{source.name}: {note}")
    return source


def _open_folder(folder: Path) -> TokenizerSource:
    """Read the tokenizer of a folder, the most complete file first."""
    from forensics.sources.tokenizer_files.class_folder import class_folder
    from forensics.sources.tokenizer_files.special_roles import read_companions
    from forensics.sources.tokenizer_files.tokenizer_json import read_tokenizer_json
    from forensics.sources.tokenizer_files.vocab_files import read_vocab_and_merges, read_vocab_txt

    name = model_name(folder)
    if (folder / "tokenizer.json").is_file():
        return read_tokenizer_json(folder / "tokenizer.json", name, beside=True)
    own = sorted(path for pattern in _OWN_FILES for path in folder.glob(pattern))
    if len(own) == 1:
        return _reader(own[0])(own[0], name, True)
    companions = read_companions(folder)
    if not any(_is_rank_file(path) for path in folder.glob("*.model")):
        found = class_folder(folder, companions)
        if found is not None:
            return found.read(name, companions)
    candidates = sorted([*folder.glob("*.model"), *folder.glob("*.tiktoken")])
    if len(candidates) == 1:
        return _reader(candidates[0])(candidates[0], name, True)
    vocab, merges = find_vocabulary(folder, "vocab.json"), find_vocabulary(folder, "merges.txt")
    if vocab is not None and merges is not None:
        return read_vocab_and_merges(vocab, merges, name)
    lines = find_vocabulary(folder, "vocab.txt")
    if lines is not None:
        return read_vocab_txt(lines, name)
    containers = whole_models(folder.glob("*.gguf"))
    if len(containers) == 1:
        return _open_file(containers[0])
    apart = _kept_apart(folder)
    if apart is not None and not candidates and not containers:
        return _open_folder(apart)
    if len(candidates) > 1 or len(containers) > 1:
        several = ", ".join(path.name for path in (*candidates, *containers)[:4])
        raise BadInputError(folder, f"several tokenizer files ({several})", "name one of them")
    raise BadInputError(folder, f"no tokenizer (looked for {_FOLDER_LAYOUTS})", "give a folder that has one")


def _kept_apart(folder: Path) -> Path | None:
    """Return where a model of several folders keeps its tokenizer.

    A pipeline of diffusers has `tokenizer` beside `text_encoder`, and `tokenizer_2` beside `text_encoder_2`;
    old folders of sentence-transformers have everything of the transformer in `0_Transformer`.
    """
    if folder.name.startswith("text_encoder"):
        beside = folder.with_name(folder.name.replace("text_encoder", "tokenizer"))
        return beside if beside.is_dir() else None
    below = [
        path for pattern in ("tokenizer", "0_*") for path in sorted(folder.glob(pattern)) if path.is_dir()
    ]
    return below[0] if len(below) == 1 else None


def _open_file(path: Path) -> TokenizerSource:
    """Read the tokenizer in one file, or beside a file with weights."""
    if path.suffix in _WEIGHT_SUFFIXES:
        return _open_folder(path.parent)
    if path in (find_vocabulary(path.parent, name) for name in ("vocab.json", "merges.txt")):
        return _open_vocabulary(path.parent, model_name(path.parent))
    first = first_part(path)  # the others of a split GGUF file hold tensors only
    path = first if first.exists() else path
    return _reader(path)(path, model_name(path), False)


def _open_vocabulary(folder: Path, name: str) -> TokenizerSource:
    """Read `vocab.json` with `merges.txt`, which a user names by either of them."""
    from forensics.sources.tokenizer_files.class_folder import class_folder
    from forensics.sources.tokenizer_files.special_roles import read_companions
    from forensics.sources.tokenizer_files.vocab_files import read_vocab_and_merges

    companions = read_companions(folder)
    found = class_folder(folder, companions)
    if found is not None and found.recipe.files == JSON_BPE:
        return found.read(name, companions)
    vocab, merges = find_vocabulary(folder, "vocab.json"), find_vocabulary(folder, "merges.txt")
    if vocab is None or merges is None:
        raise BadInputError(
            folder, "vocab.json without merges.txt, or the reverse", "give both in one folder"
        )
    return read_vocab_and_merges(vocab, merges, name)


def _reader(path: Path) -> Callable[[Path, str, bool], TokenizerSource]:
    """Return the reader for what the file holds."""
    from forensics.sources.tokenizer_files.rwkv_vocab import RWKV_LINE, read_rwkv_vocab
    from forensics.sources.tokenizer_files.tekken import is_tekken, read_tekken

    head = _head(path)
    if head.startswith(GGUF_MAGIC):
        from forensics.sources.gguf.tokenizer import read_gguf_tokenizer

        return lambda file, name, beside: read_gguf_tokenizer(file, name)
    if is_tekken(path):
        return read_tekken
    if RWKV_LINE.match(head):
        return read_rwkv_vocab
    if head.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"{"):
        from forensics.sources.tokenizer_files.tokenizer_json import read_tokenizer_json

        return read_tokenizer_json
    if _RANK_LINE.match(head):
        from forensics.sources.tokenizer_files.tiktoken_ranks import read_tiktoken

        return read_tiktoken
    if path.suffix == ".txt":
        from forensics.sources.tokenizer_files.vocab_files import read_vocab_txt

        return lambda file, name, beside: read_vocab_txt(file, name)
    from forensics.sources.tokenizer_files.sentencepiece_model import read_sentencepiece

    return read_sentencepiece


def _is_rank_file(path: Path) -> bool:
    """Return whether a file holds tiktoken ranks: Llama 3 calls its own `tokenizer.model`."""
    return _RANK_LINE.match(_head(path)) is not None


def _head(path: Path) -> bytes:
    """Return the first bytes of a file."""
    try:
        with path.open("rb") as stream:
            head = stream.read(_HEAD)
    except OSError as error:
        raise BadInputError(
            path, f"cannot be read ({error.strerror or error})", "check the path and its permissions"
        ) from error
    if not head:
        raise BadInputError(path, "the file is empty", "download or export it again")
    return head
