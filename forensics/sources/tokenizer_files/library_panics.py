"""Panics of the `tokenizers` library: where its Rust code gives up on a file.

A panic reaches Python as PanicException, a `BaseException` that passes every handler of `Exception`, and Rust
says its own piece on standard error before. Here it becomes the error that any damaged file is. While a file
is opened Rust is not heard either; later it is, because standard error is then in use.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from forensics.errors import BadInputError

__all__ = ["panics_refused", "panics_unheard", "refusal"]

_STDERR = 2


def refusal(where: str | Path, error: BaseException) -> BadInputError:
    """Return the error for what the library raised over `where`."""
    found = f"the tokenizers library refuses it ({error})"
    return BadInputError(where, found, "the file is damaged, or newer than the installed tokenizers")


@contextmanager
def panics_refused(where: str | Path) -> Iterator[None]:
    """Turn a panic of the library into an error about `where`.

    :raises BadInputError: If the library panics.
    """
    try:
        yield
    except BaseException as error:
        if not _is_panic(error):
            raise
        raise refusal(where, error) from error


@contextmanager
def panics_unheard() -> Iterator[None]:
    """Hold back what is written to standard error, also from Rust, and drop it if there was a panic."""
    try:
        kept = os.dup(_STDERR)
    except OSError:  # standard error is closed, so there is nothing to hear
        yield
        return
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), _STDERR)
        dropped = False
        try:
            yield
        except BaseException as error:
            dropped = _is_panic(error)
            raise
        finally:
            os.dup2(kept, _STDERR)
            os.close(kept)
            if not dropped:
                held.seek(0)
                os.write(_STDERR, held.read())


def _is_panic(error: BaseException) -> bool:
    # The type cannot be imported: every Rust extension has its own.
    return type(error).__name__ == "PanicException"
