"""Where in the files of a model a finding is shown: a file, relative to the repository, and a line.

A finding knows its piece, and a template's finding its line; its rule knows the JSON key that it is about
(`Rule.where`). The lines are looked up here, when SARIF is written and for the findings that there are, so
that no run and no result pays for them: one pass over each file, linear in its size. What has no line is
shown at the first one: files in one line, binary files, large files, models that are no local folder.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from forensics.schema.finding import Finding, Rule
from forensics.schema.manifest import FileEntry

__all__ = ["Place", "location", "places_of"]

#: Larger files are no text that a person reads.
MOST_BYTES = 100_000_000
#: A string of JSON, and what makes it an entry of a vocabulary: `: id`, or `, score` for Unigram. Nothing is
#: tried twice, so that a file of quotation marks takes no longer than another.
_STRING = re.compile(rb'"([^"\\]*+(?:\\.[^"\\]*+)*+)"(?:\s*+(?::\s*+(\d++)|,\s*+(-?\d)|(:)))?+', re.DOTALL)
#: Roles of a manifest's files that may say where a finding stands.
_ROLES = frozenset({"tokenizer", "model"})


@dataclass(frozen=True)
class Place:
    """What code scanning shows a finding at."""

    #: Relative to the root of the repository, percent-encoded.
    uri: str
    #: From 1.
    line: int = 1


@dataclass(frozen=True)
class _Text:
    """A text file of the model: JSON, or a list with one piece in each line."""

    name: str
    content: bytes

    @property
    def is_json(self) -> bool:
        return self.name.endswith(".json")

    @property
    def is_vocabulary(self) -> bool:
        return Path(self.name).name in ("tokenizer.json", "vocab.json", "vocab.txt")

    def line_of_key(self, key: str) -> int | None:
        """Return the line of a key of JSON, or 1 for a file that has its name; None without one."""
        if not self.is_json:
            return 1 if Path(self.name).stem == key else None
        # In a vocabulary `"merges": 5` is a piece.
        value = rb"(?!\d)" if self.is_vocabulary else b""
        quoted = re.escape(json.dumps(key).encode())
        found = re.search(quoted + rb"\s*+:\s*+" + value, self.content)
        return None if found is None else self.content.count(b"\n", 0, found.start()) + 1

    def entries(self) -> Iterator[tuple[bytes, bytes | None, int]]:
        """Yield the entries of a vocabulary as they are spelt, with their ids where they stand there."""
        if not self.is_json:
            offset = 0
            for number, line in enumerate(self.content.split(b"\n")):
                yield line.rstrip(b"\r"), str(number).encode(), offset
                offset += len(line) + 1
            return
        names_content = False
        for match in _STRING.finditer(self.content):
            string, token_id, score, colon = match.groups()
            if token_id is not None or score is not None or names_content:
                yield string, token_id, match.start()
            # An added token: `"content": "<s>"`.
            names_content = colon is not None and string == b"content"


def places_of(
    findings: Sequence[Finding],
    rules: Iterable[Rule],
    target: str,
    files: Sequence[FileEntry],
    working_directory: Path,
) -> dict[str, Place]:
    """Return fingerprint -> where the finding is shown.

    :param findings: Of one run.
    :param rules: Of its command.
    :param target: A folder, a file, a hub id or `demo`, as the user named it.
    :param files: What was read, of the manifest.
    :param working_directory: The root of the repository, where the command runs in one.
    """
    default = Place(location(target, files, working_directory))
    found = {one.fingerprint: default for one in findings}
    for one in findings:
        if one.file is not None:
            uri = location(target, files, working_directory, one.file)
            found[one.fingerprint] = Place(uri, one.line or 1)
    sought = [one for one in findings if one.file is None]
    where = {rule.id: rule.where for rule in rules}
    texts = list(_texts(Path(target).expanduser(), files))
    uris = {text.name: location(target, files, working_directory, text.name) for text in texts}
    # A piece stands in a vocabulary above all, and a setting there last of all; who speaks last is right.
    texts.sort(key=lambda text: text.is_vocabulary)
    for text in reversed(texts):
        for fingerprint, line in _lines_of_keys(text, sought, where).items():
            found[fingerprint] = Place(uris[text.name], line)
    for text in texts:
        for fingerprint, line in _lines_of_pieces(text, sought).items():
            found[fingerprint] = Place(uris[text.name], line)
    return found


def location(
    target: str, files: Iterable[FileEntry], working_directory: Path, name: str | None = None
) -> str:
    """Return the URI of the file at which findings are shown, relative to the working directory.

    Of a folder it is the file of the tokenizer, else the first that was read. A file elsewhere, or one that
    is no local file at all, is shown under its name.

    :param target: A folder, a file, a hub id or `demo`, as the user named it.
    :param files: What was read, of the manifest.
    :param working_directory: The root of the repository, where the command runs in one.
    :param name: A file of the folder that is meant instead.
    """
    path = Path(target).expanduser()
    entries = sorted(files, key=lambda entry: entry.get("role") != "tokenizer")
    names = [entry["path"] for entry in entries] if name is None else [name]
    if path.is_dir():
        path = next((path / each for each in names if (path / each).is_file()), path)
    absolute = path.resolve()
    root = working_directory.resolve()
    if not path.exists():
        # A hub id: the file's name below it.
        relative = "/".join([target.strip("/"), *names[:1]])
    elif absolute.is_relative_to(root) and absolute != root:
        relative = absolute.relative_to(root).as_posix()
    else:
        relative = absolute.name or "model"
    return quote(relative)


def _texts(path: Path, files: Iterable[FileEntry]) -> Iterator[_Text]:
    """Yield the text files of a tokenizer or model that were read."""
    names = dict.fromkeys(each["path"] for each in files if each.get("role") in _ROLES)
    for file in [path] if path.is_file() else [path / name for name in names]:
        if file.suffix in (".json", ".txt") and file.is_file() and file.stat().st_size <= MOST_BYTES:
            yield _Text(file.relative_to(path).as_posix() if path.is_dir() else file.name, file.read_bytes())


def _lines_of_keys(
    text: _Text, findings: Sequence[Finding], where: Mapping[str, Sequence[str]]
) -> dict[str, int]:
    """Return fingerprint -> line of the key that the finding's rule is about."""
    lines: dict[str, int] = {}
    for one in findings:
        for key in () if one.piece else where.get(one.rule, ()):
            line = text.line_of_key(key.replace("{subject}", one.subject))
            if line is not None:
                lines.setdefault(one.fingerprint, line)
    return lines


def _lines_of_pieces(text: _Text, findings: Sequence[Finding]) -> dict[str, int]:
    """Return fingerprint -> line of the vocabulary's entry for the finding's piece."""
    spelt: dict[bytes, list[Finding]] = {}
    for one in findings:
        if one.piece:
            for spelling in _spellings(one.piece, text):
                spelt.setdefault(spelling, []).append(one)
    lines: dict[str, int] = {}
    line, start = 1, 0
    for spelling, id_text, offset in text.entries() if spelt else ():
        for one in spelt.get(spelling, ()):
            if id_text in (None, str(one.token_id).encode()) and one.fingerprint not in lines:
                line, start = line + text.content.count(b"\n", start, offset), offset
                lines[one.fingerprint] = line
    return lines


def _spellings(piece: str, text: _Text) -> set[bytes]:
    """Return how a file may write a piece: with escapes or without, as they are usual in JSON."""
    if not text.is_json:
        return {piece.encode("utf-8", "surrogatepass")}
    return {
        json.dumps(piece, ensure_ascii=ascii_only)[1:-1].encode("utf-8", "surrogatepass")
        for ascii_only in (False, True)
    }
