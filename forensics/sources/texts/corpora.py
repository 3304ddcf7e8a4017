"""Text by category: a file or a folder of files for each, or the demo set.

What is read is decided by names alone (`text_pieces` has the forms). Links are followed; files that systems
and editors leave behind are no text and are passed over; everything else that lies there and is not read is
named by `left_out`, so that a category that is missing is not missed only in the result.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from forensics.errors import BadInputError
from forensics.sources.texts.decompression import COMPRESSIONS
from forensics.sources.texts.text_pieces import form_of, pieces_of, stem_of

__all__ = ["DEMO", "Corpus", "content_hash", "find_corpora", "left_out", "read_corpus"]

#: What a user writes for the set that comes with the package.
DEMO = "demo"
_LAYOUT = "one file (.txt, .jsonl or .parquet; .gz, .bz2, .xz or .zst) or folder of such files per category"
#: Left behind by systems and editors, besides names that begin with a dot.
_LEFT_BEHIND = frozenset({"__MACOSX", "Thumbs.db", "desktop.ini"})
#: Names given of files that are left out for one reason; the others are counted.
_NAMED = 3


@dataclass(frozen=True)
class Corpus:
    """The text of one category, not read yet."""

    #: The category, with its group in front where there are several (`code/python`).
    name: str
    #: The files, in order.
    files: tuple[Path, ...]


@dataclass(frozen=True)
class _Found:
    """A file or folder on the way: text, or the reason why it is none."""

    path: Path
    reason: str | None = None


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
    for prefix, path in _places(folders):
        inside = _categories(path)
        if not inside:
            raise BadInputError(path, _nothing(_remarks(path, _top(path))), f"put {_LAYOUT} there")
        found += [Corpus(prefix + name, files) for name, files in inside.items()]
    for name, place in named:
        path = Path(place)
        found.append(Corpus(name, _files(path) if path.is_dir() else (_existing(path),)))
        if not found[-1].files:
            remarks = _remarks(path, _walk(path))
            raise BadInputError(path, _nothing(remarks), "give a text file or a folder of them")
    names = [corpus.name for corpus in found]
    for name in names:
        if names.count(name) > 1:
            raise BadInputError("the categories", f"{name!r} is given twice", "give each category one name")
    return sorted(found, key=lambda corpus: corpus.name)


def left_out(folders: Sequence[str | Path] = (), named: Sequence[tuple[str, str | Path]] = ()) -> list[str]:
    """Return what lies in the places of `find_corpora` and is not read: a remark for each folder and reason.

    :param folders: See `find_corpora`.
    :param named: See `find_corpora`.
    :raises BadInputError: If a folder cannot be listed.
    """
    remarks = [remark for _, path in _places(folders) for remark in _remarks(path, _top(path))]
    for _, place in named:
        if Path(place).is_dir():
            remarks += _remarks(Path(place), _walk(Path(place)))
    return remarks


def read_corpus(corpus: Corpus, max_bytes: int | None = None) -> Iterator[str]:
    """Yield the text of a category in pieces that end at a line end.

    :param corpus: The category.
    :param max_bytes: Stop after this many bytes of UTF-8, at the end of a line.
    :raises BadInputError: If a file cannot be read or is not UTF-8.
    """
    left = max_bytes
    for file in corpus.files:
        for piece in pieces_of(file):
            data = piece.encode("utf-8")
            if left is not None and len(data) > left:
                cut = data[:left].decode("utf-8", "ignore")
                yield cut[: cut.rfind("\n") + 1] or cut
                return
            left = None if left is None else left - len(data)
            yield piece


def content_hash(corpus: Corpus) -> str:
    """Return the sha256 of the files of a category as they lie on the disk.

    :raises BadInputError: If a file cannot be read.
    """
    digest = hashlib.sha256()
    for file in corpus.files:
        try:
            with file.open("rb") as stream:
                digest.update(hashlib.file_digest(stream, "sha256").digest())
        except OSError as error:
            raise BadInputError(
                file, f"cannot be read ({error.strerror or error})", "check the file"
            ) from error
    return digest.hexdigest()


def _places(folders: Sequence[str | Path]) -> list[tuple[str, Path]]:
    """Return what is put in front of the categories' names, and the folder, of every group."""
    places: list[tuple[str, Path]] = []
    for folder in folders:
        if str(folder) == DEMO:
            places += [(f"{group.name}/", group) for group in _demo_groups()]
        else:
            path = Path(folder)
            places.append((f"{path.resolve().name}/" if len(folders) > 1 else "", path))
    return places


def _demo_groups() -> list[Path]:
    root = Path(str(resources.files("forensics.data") / "corpora"))
    return sorted(path for path in root.iterdir() if path.is_dir())


def _categories(folder: Path) -> dict[str, tuple[Path, ...]]:
    if not _existing(folder).is_dir():
        raise BadInputError(
            folder, "a file where a folder was expected", "give it a name of its own with `named`, NAME=PATH"
        )
    found: dict[str, tuple[Path, ...]] = {}
    for entry in _entries(folder):
        files = _files(entry) if entry.is_dir() else (entry,) if _reason(entry) is None else ()
        if files:
            name = entry.name if entry.is_dir() else stem_of(entry)
            found[name] = (*found.get(name, ()), *files)
    return found


def _files(folder: Path) -> tuple[Path, ...]:
    return tuple(found.path for found in _walk(folder) if found.reason is None)


def _top(folder: Path) -> Iterator[_Found]:
    """Yield everything in a folder of categories."""
    for entry in _entries(folder):
        if not entry.is_dir():
            yield _Found(entry, _reason(entry))
        elif inside := list(_walk(entry)):
            yield from inside
        else:
            yield _Found(entry, "empty folder")


def _walk(folder: Path, seen: set[Path] | None = None) -> Iterator[_Found]:
    """Yield the files below a folder in the order of their paths; links are followed.

    :param seen: The folders read before, as they really lie: a link to one of them, or in a circle, is not
        followed, or its text would count twice.
    """
    seen = set() if seen is None else seen
    here = folder.resolve()
    if here in seen:
        yield _Found(folder, "link to a folder that is read already")
        return
    seen.add(here)
    for entry in _entries(folder):
        if entry.is_dir():
            yield from _walk(entry, seen)
        else:
            yield _Found(entry, _reason(entry))


def _entries(folder: Path) -> list[Path]:
    """Return what lies in a folder, less what systems and editors leave behind."""
    try:
        return sorted(path for path in folder.iterdir() if not _is_left_behind(path.name))
    except OSError as error:
        found = f"cannot be listed ({error.strerror or error})"
        raise BadInputError(folder, found, "check its permissions") from error


def _is_left_behind(name: str) -> bool:
    """Return whether a name is hidden (`._en.txt`, `.ipynb_checkpoints`), a lock or an editor's copy."""
    return name in _LEFT_BEHIND or name.startswith((".", "~$")) or name.endswith(("~", "#"))


def _reason(path: Path) -> str | None:
    """Return why a file is not read, None if it is."""
    if not path.exists():
        return "broken link"
    if not path.is_file():
        return "no plain file"
    if form_of(path) is not None:
        return None
    kind = "".join(path.suffixes[-2:]) if path.suffix.lower() in COMPRESSIONS else path.suffix
    return f"unread format {kind}" if kind else "no suffix"


def _remarks(root: Path, found: Iterator[_Found]) -> list[str]:
    """Return a remark for every folder and reason: how many files, and the first of them."""
    groups: dict[tuple[Path, str], list[str]] = defaultdict(list)
    for each in found:
        if each.reason is not None:
            groups[each.path.parent, each.reason].append(each.path.name)
    remarks = []
    for (folder, reason), names in groups.items():
        # The folder as the user knows it: where it lies on this machine is nobody's business.
        place = "/".join((root.resolve().name, *folder.relative_to(root).parts))
        more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
        remarks.append(f"Left out of {place}: {', '.join(names[:_NAMED])}{more} ({reason}).")
    return remarks


def _nothing(remarks: Sequence[str]) -> str:
    return " ".join(["no text in it", *remarks[:2]]).removesuffix(".") if remarks else "no text in it"


def _existing(path: Path) -> Path:
    if not path.exists():
        raise BadInputError(path, "no such file or folder", "check the path")
    return path
