"""The text of one file in pieces: plain text, JSON lines and Parquet, plain or compressed.

Whatever cannot be read is an error that names the file and, where there is one, the line or row; nothing of a
file is skipped. Half a surrogate pair, which JSON can write and UTF-8 cannot, is no character: it is read as
U+FFFD, as a browser reads it.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from pathlib import Path

from forensics.errors import BadInputError
from forensics.sources.texts.decompression import COMPRESSIONS, decompression_errors, open_decompressed

__all__ = ["PIECE", "Form", "form_of", "pieces_of", "records_of", "stem_of", "texts_of"]

#: Characters given on at a time; a piece ends at a line end.
PIECE = 2**20
#: Bytes in which the first line of a `.json` file must end to be recognised as a record.
_FIRST_RECORD = 2**20
#: Rows of a Parquet file that are decoded together.
_ROWS = 1024
_CONVERT = "convert it, e.g. iconv -f ENCODING -t UTF-8"
_RECORDS = "one JSON object a line, whose key `text` holds a string"


class Form(StrEnum):
    """What a file's suffix says of its content."""

    #: The file is the text.
    TEXT = "text"
    #: Every line is a JSON object with the key `text`.
    JSON_LINES = "JSON lines"
    #: A table with the column `text`.
    PARQUET = "Parquet"


#: `.json` is a name of JSON lines too, and of much else: see `form_of`.
_SUFFIXES = {
    ".txt": Form.TEXT,
    ".jsonl": Form.JSON_LINES,
    ".ndjson": Form.JSON_LINES,
    ".json": Form.JSON_LINES,
    ".parquet": Form.PARQUET,
}


def form_of(file: Path) -> Form | None:
    """Return the form of a file by its suffix in any case, None if it has none that is read.

    `.json` counts where the first line is a record: such a file may as well be a list or a setting.
    """
    suffix, compression = _suffixes(file)
    form = _SUFFIXES.get(suffix)
    if form is Form.PARQUET and compression:
        return None
    return None if suffix == ".json" and not _begins_with_record(file) else form


def stem_of(file: Path) -> str:
    """Return the file's name without the suffixes of its form and compression.

    >>> stem_of(Path("en.TXT.gz")), stem_of(Path("v1.2.txt"))
    ('en', 'v1.2')
    """
    return file.name[: len(file.name) - sum(map(len, _suffixes(file)))]


def pieces_of(file: Path) -> Iterator[str]:
    """Yield the text of one file in pieces of about `PIECE` characters that end at a line end.

    :param file: Of one of the forms above; any other is taken for plain text.
    :raises BadInputError: If it cannot be read, is not UTF-8, or a record holds no text.
    """
    for texts in _texts(file):
        yield "".join(texts)


def records_of(file: Path) -> Iterator[str]:
    """Yield the lines, records or rows of one file one by one, each with a line end.

    :raises BadInputError: As for `pieces_of`.
    """
    for texts in _texts(file):
        yield from texts


def texts_of(file: Path) -> Iterator[str]:
    """Yield the texts of one file one by one: lines, records or rows, without line end; blank ones left out.

    :param file: See `pieces_of`.
    :raises BadInputError: See `pieces_of`.
    """
    return (bare for text in records_of(file) if (bare := text.rstrip("\r\n")).strip())


def _texts(file: Path) -> Iterator[Iterable[str]]:
    """Yield the lines, records or rows of a file, a good number at a time, each with a line end."""
    suffix, compression = _suffixes(file)
    form = _SUFFIXES.get(suffix, Form.TEXT)
    if form is Form.PARQUET and not compression:
        yield from ([f"{text}\n" for text in rows] for rows in _rows(file))
        return
    number = 1
    for lines in _lines(file):
        yield _unpacked(file, lines, number) if form is Form.JSON_LINES else lines
        number += len(lines)


def _suffixes(file: Path) -> tuple[str, str]:
    """Return the suffix of the form and that of the compression, in lower case; empty where not known."""
    name = file.name.lower()
    compression = next((c for c in COMPRESSIONS if c and name.endswith(c)), "")
    suffix = next((s for s in _SUFFIXES if name.removesuffix(compression).endswith(s)), "")
    return (suffix, compression) if suffix else ("", "")


def _begins_with_record(file: Path) -> bool:
    try:
        with open_decompressed(file) as stream:
            record = json.loads(stream.readline(_FIRST_RECORD))
    except (ValueError, RecursionError):
        return False
    except decompression_errors():
        return True  # it is for the reader to say what is wrong with it
    return isinstance(record, dict) and "text" in record


def _lines(file: Path) -> Iterator[list[str]]:
    """Yield the lines of a file with their ends, a good number at a time."""
    try:
        with io.TextIOWrapper(open_decompressed(file), encoding="utf-8", newline="") as stream:
            # A byte order mark is no text.
            first = True
            while lines := stream.readlines(PIECE):
                if first:
                    lines[0] = lines[0].removeprefix("\ufeff")
                    first = False
                if _looks_utf16(lines):
                    raise BadInputError(file, "not UTF-8 (every other byte is zero, as in UTF-16)", _CONVERT)
                yield lines
    except UnicodeDecodeError as error:
        found = f"not UTF-8 (byte {error.object[error.start]:#04x})"
        packed = f"unpack it to see whether it is damaged, or {_CONVERT}"
        raise BadInputError(file, found, packed if _suffixes(file)[1] else _CONVERT) from error
    except decompression_errors() as error:
        raise BadInputError(file, f"cannot be read ({error})", "check the file") from error


def _looks_utf16(lines: Sequence[str]) -> bool:
    """Return whether text is UTF-16 although it decodes: ASCII without a byte order mark does."""
    text = lines[0][:1000]
    return 4 * text.count("\0") > len(text)


def _unpacked(file: Path, lines: Sequence[str], number: int) -> Iterator[str]:
    """Yield the texts of JSON lines, each with a line end.

    :param number: The number of the first line, counted from 1.
    """
    for at, line in enumerate(lines, number):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except (ValueError, RecursionError) as error:
            found = f"line {at:,} is no JSON object with `text` ({line[:40]!r})"
            raise BadInputError(file, found, _RECORDS) from error
        if not isinstance(record, dict) or "text" not in record:
            raise BadInputError(file, f"line {at:,} is no JSON object with `text` ({line[:40]!r})", _RECORDS)
        text = record["text"]
        if not isinstance(text, str):
            found = f"`text` in line {at:,} is {_named(text)} and no string"
            raise BadInputError(file, found, "leave the line out or make its text a string")
        yield f"{_whole_characters(text)}\n"


def _rows(file: Path) -> Iterator[list[str]]:
    """Yield the column `text` of a Parquet file, a good number of rows at a time."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    number = 0
    try:
        with pq.ParquetFile(file) as table:
            columns = table.schema_arrow
            if "text" not in columns.names:
                found = f"has the columns {', '.join(columns.names[:8])} and no `text`"
                raise BadInputError(file, found, "name the column with the text `text`")
            for batch in table.iter_batches(batch_size=_ROWS, columns=["text"]):
                texts = batch.column(0).to_pylist()
                wrong = next((i for i, text in enumerate(texts) if not isinstance(text, str)), None)
                if wrong is not None:
                    found = f"`text` in row {number + wrong + 1:,} is {_named(texts[wrong])} and no string"
                    raise BadInputError(file, found, "leave the row out or make its text a string")
                number += len(texts)
                yield texts
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise BadInputError(file, f"cannot be read ({error})", "check the file") from error


def _named(value: object) -> str:
    """Return what JSON calls a value that is no string."""
    if value is None:
        return "null"
    return {list: "a list", dict: "an object", bool: "true or false"}.get(type(value), "a number")


def _whole_characters(text: str) -> str:
    """Return `text` with every half of a surrogate pair read as U+FFFD."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text
