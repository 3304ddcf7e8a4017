"""Text by category: plain or compressed text files, JSON lines, folders of them, or the demo set."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import lzma
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import IO

from forensics.errors import BadInputError, MissingExtraError

__all__ = ["DEMO", "Corpus", "content_hash", "find_corpora", "read_corpus"]

#: What a user writes for the set that comes with the package.
DEMO = "demo"
_FORMS = (".txt", ".jsonl")
_COMPRESSIONS = ("", ".gz", ".xz", ".zst")
_SUFFIXES = tuple(form + compression for form in _FORMS for compression in _COMPRESSIONS)
#: Characters given on at a time; a piece ends at a line end.
PIECE = 2**20
_CONVERT = "convert it, e.g. iconv -f ENCODING -t UTF-8"
_LAYOUT = "one file (NAME.txt, .txt.gz, .txt.xz, .txt.zst, .jsonl) or folder of such files per category"


@dataclass(frozen=True)
class Corpus:
    """The text of one category, not read yet."""

    #: The category, with its group in front where there are several (`code/python`).
    name: str
    #: The files, in order.
    files: tuple[Path, ...]


def find_corpora(
    folders: Sequence[str | Path] = (), named: Sequence[tuple[str, str | Path]] = ()
) -> list[Corpus]:
    """Return the categories found, sorted by name.

    :param folders: Folders with one file or folder per category, or `demo`. Of several folders each is a
        group: its own name is put in front of the names of its categories.
    :param named: Categories by name, each a file or a folder.
    :raises BadInputError: If a path is missing or holds no text, or a name stands twice.
    """
    found: list[Corpus] = []
    places: list[tuple[str, Path]] = []
    for folder in folders:
        if str(folder) == DEMO:
            places += [(f"{group.name}/", group) for group in _demo_groups()]
        else:
            path = Path(folder)
            places.append((f"{path.resolve().name}/" if len(folders) > 1 else "", path))
    for prefix, path in places:
        inside = _categories(path)
        if not inside:
            raise BadInputError(path, "no text in it", f"put {_LAYOUT} there")
        found += [Corpus(prefix + name, files) for name, files in inside.items()]
    for name, place in named:
        path = Path(place)
        found.append(Corpus(name, _files(path) if path.is_dir() else (_existing(path),)))
        if not found[-1].files:
            raise BadInputError(path, "no text in it", "give a text file or a folder of them")
    names = [corpus.name for corpus in found]
    for name in names:
        if names.count(name) > 1:
            raise BadInputError("the categories", f"{name!r} is given twice", "give each category one name")
    return sorted(found, key=lambda corpus: corpus.name)


def read_corpus(corpus: Corpus, max_bytes: int | None = None) -> Iterator[str]:
    """Yield the text of a category in pieces that end at a line end.

    :param corpus: The category.
    :param max_bytes: Stop after this many bytes of UTF-8, at the end of a line.
    :raises BadInputError: If a file cannot be read or is not UTF-8.
    """
    left = max_bytes
    for file in corpus.files:
        for piece in _pieces(file):
            size = len(piece.encode("utf-8", "surrogatepass"))
            if left is not None and size > left:
                cut = piece.encode("utf-8", "surrogatepass")[:left].decode("utf-8", "ignore")
                yield cut[: cut.rfind("\n") + 1] or cut
                return
            left = None if left is None else left - size
            yield piece


def content_hash(corpus: Corpus) -> str:
    """Return the sha256 of the files of a category as they lie on the disk."""
    digest = hashlib.sha256()
    for file in corpus.files:
        with file.open("rb") as stream:
            digest.update(hashlib.file_digest(stream, "sha256").digest())
    return digest.hexdigest()


def _demo_groups() -> list[Path]:
    root = Path(str(resources.files("forensics.data") / "corpora"))
    return sorted(path for path in root.iterdir() if path.is_dir())


def _categories(folder: Path) -> dict[str, tuple[Path, ...]]:
    if not _existing(folder).is_dir():
        raise BadInputError(
            folder, "a file where a folder was expected", "give it a name of its own with `named`, NAME=PATH"
        )
    found: dict[str, tuple[Path, ...]] = {}
    for path in sorted(folder.iterdir()):
        if path.name.startswith("."):
            continue
        if path.is_dir() and (files := _files(path)):
            found[path.name] = (*found.get(path.name, ()), *files)
        elif path.is_file() and (name := _stem(path)):
            found[name] = (*found.get(name, ()), path)
    return found


def _files(folder: Path) -> tuple[Path, ...]:
    return tuple(path for path in sorted(folder.rglob("*")) if path.is_file() and _stem(path))


def _stem(path: Path) -> str:
    """Return the file name without the suffixes of text, empty if it has none of them."""
    suffix = next((suffix for suffix in _SUFFIXES if path.name.endswith(suffix)), "")
    return path.name.removesuffix(suffix) if suffix else ""


def _existing(path: Path) -> Path:
    if not path.exists():
        raise BadInputError(path, "no such file or folder", "check the path")
    return path


def _pieces(file: Path) -> Iterator[str]:
    """Yield the text of one file, JSON lines unpacked, in pieces of about `PIECE` characters."""
    as_json = ".jsonl" in file.suffixes
    try:
        with io.TextIOWrapper(_opened(file), encoding="utf-8", newline="") as stream:
            # A byte order mark is no text.
            first = True
            while lines := stream.readlines(PIECE):
                if first:
                    lines[0] = lines[0].removeprefix("\ufeff")
                    first = False
                if _looks_utf16(lines):
                    raise BadInputError(file, "not UTF-8 (every other byte is zero, as in UTF-16)", _CONVERT)
                yield "".join(_unpacked(file, lines) if as_json else lines)
    except UnicodeDecodeError as error:
        found = f"not UTF-8 (byte {error.object[error.start]:#04x})"
        raise BadInputError(file, found, _CONVERT) from error
    except (OSError, EOFError, lzma.LZMAError) as error:
        raise BadInputError(file, f"cannot be read ({error})", "check the file") from error


def _looks_utf16(lines: Sequence[str]) -> bool:
    """Return whether text is UTF-16 although it decodes: ASCII without a byte order mark does."""
    text = lines[0][:1000]
    return 4 * text.count("\0") > len(text)


def _opened(file: Path) -> IO[bytes]:
    if file.suffix == ".gz":
        return gzip.open(file, "rb")  # type: ignore[return-value]
    if file.suffix == ".xz":
        return lzma.open(file, "rb")
    if file.suffix == ".zst":
        try:
            import zstandard
        except ImportError as error:
            raise MissingExtraError("zstandard", "mixture", "reading .zst text") from error
        return zstandard.open(file, "rb")  # type: ignore[no-any-return]
    return file.open("rb")


def _unpacked(file: Path, lines: Sequence[str]) -> Iterator[str]:
    for line in lines:
        if not line.strip():
            continue
        try:
            text = json.loads(line)["text"]
        except (ValueError, KeyError, TypeError) as error:
            found = f"a line that is no JSON object with `text` ({line[:40]!r})"
            raise BadInputError(file, found, "one JSON object with the key `text` per line") from error
        yield f"{text}\n"
