"""Read ids from the command line or a file, and name the folder a result goes to. Pure functions."""

from __future__ import annotations

import json
import re
from pathlib import Path

from forensics.errors import BadInputError

__all__ = ["MOST_IDS", "default_folder", "parse_ids", "read_ids"]

#: More ids than any vocabulary has; a slip such as `0-99999999999` is refused before it fills memory.
MOST_IDS = 10_000_000
_PART = re.compile(r"(\d+)(?:\s*-\s*(\d+))?")
_SUFFIXES = (".safetensors", ".gguf", ".bin", ".json", ".model", ".tiktoken", ".pt", ".pth")
#: File names that say nothing; the folder's name is taken instead.
_GENERIC = frozenset({"model", "pytorch_model", "tokenizer", "vocab", "consolidated"})


def parse_ids(text: str, where: str) -> list[int]:
    """Return the ids in `text`, such as ``177-187,50256``: each once, in the order given.

    >>> parse_ids("5-7, 3,6", "--tokens")
    [5, 6, 7, 3]

    :param text: Ids and inclusive ranges, separated by commas or white space.
    :param where: The option or file they stand in, for the error.
    :raises BadInputError: If a part is neither an id nor a rising range, or nothing is there.
    """
    ids: dict[int, None] = {}
    # A hyphen may have spaces around it, so those go first.
    for part in re.sub(r"\s*-\s*", "-", text).replace(",", " ").split():
        found = _PART.fullmatch(part)
        if found is None:
            raise BadInputError(where, f"found {part[:40]!r}", "give ids and ranges such as 177-187,50256")
        first, last = int(found[1]), int(found[2] or found[1])
        if last < first:
            raise BadInputError(where, f"the range {part[:40]} runs backwards", f"write {last}-{first}")
        if last - first >= MOST_IDS - len(ids):
            raise BadInputError(where, f"more than {MOST_IDS:,} ids", "give ids of the vocabulary")
        ids.update(dict.fromkeys(range(first, last + 1)))
    if not ids:
        raise BadInputError(where, "no id", "give ids and ranges such as 177-187,50256")
    return list(ids)


def read_ids(value: str, option: str) -> list[int]:
    """Return the ids that an option gives: written out, or in a file with one or more a line.

    A file may also be a JSON list of integers; in a text file what follows ``#`` is a comment.

    :param value: Ids and ranges, or the path of a file.
    :param option: The option's name, for the error.
    :raises BadInputError: If it is neither.
    """
    if re.fullmatch(r"[\d\s,-]+", value):
        return parse_ids(value, option)
    path = Path(value)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        remedy = "give ids and ranges such as 177-187,50256, or a text file that holds them"
        raise BadInputError(
            option, f"{value[:80]!r} is no list of ids and cannot be read ({reason})", remedy
        ) from error
    if text.lstrip().startswith("["):
        return _from_json(text, path)
    return parse_ids(" ".join(line.partition("#")[0] for line in text.splitlines()), str(path))


def _from_json(text: str, path: Path) -> list[int]:
    """Return the ids of a JSON list."""
    try:
        values = json.loads(text)
    except ValueError as error:
        raise BadInputError(path, f"not valid JSON ({error})", "give a list of integers") from error
    for value in values:
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise BadInputError(
                path, f"holds {json.dumps(value)[:40]}", "give a list of token ids (integers from 0)"
            )
    return parse_ids(" ".join(map(str, values)), str(path))


def default_folder(model: str) -> Path:
    """Return ``results/NAME`` for what the user named: a folder, a file, a hub id or `demo`.

    >>> default_folder("models/SmolLM2-135M.Q4_1.gguf").as_posix()
    'results/SmolLM2-135M.Q4_1'
    >>> default_folder("gemma-3/model.safetensors").as_posix()
    'results/gemma-3'
    >>> default_folder("org/name").as_posix()
    'results/name'
    """
    parts = [part for part in Path(model).parts if part not in ("/", ".", "..")]
    name = parts[-1] if parts else Path(model).resolve().name
    for suffix in _SUFFIXES:
        name = name.removesuffix(suffix)
    if name.lower() in _GENERIC:
        parent = parts[-2] if len(parts) > 1 else Path(model).resolve().parent.name
        name = parent or name
    safe = re.sub(r"[^\w.+-]+", "-", name).strip("-.")
    return Path("results") / (safe or "run")
