"""The standard streams: open, able to hold every character, and standard output kept for the result.

Libraries that greet their users do so on standard output, some of them from C, where Python's own
`redirect_stdout` does not reach. So file descriptor 1 itself is pointed at standard error while they work.
"""

from __future__ import annotations

import contextlib
import ctypes
import io
import json
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout

from forensics.errors import OutputError

__all__ = ["discard_output", "library_output_on_stderr", "prepare_streams", "write_json", "write_text"]

_STDOUT, _STDERR = 1, 2


def prepare_streams() -> None:
    """Open streams that are closed, so that no file takes their number, and let none refuse a letter."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the smallest free number, which is this one
    sys.stdout = sys.stdout or open(_STDOUT, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stderr = sys.stderr or open(_STDERR, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


@contextmanager
def library_output_on_stderr() -> Iterator[None]:
    """Send to standard error whatever is written to standard output, from Python or from C."""
    _flush_all()
    kept = os.dup(_STDOUT)
    try:
        os.dup2(_STDERR, _STDOUT)
        with redirect_stdout(sys.stderr):
            yield
    finally:
        _flush_all()
        os.dup2(kept, _STDOUT)
        os.close(kept)


def write_text(text: str) -> None:
    """Write to standard output, all of it.

    :raises OutputError: If it takes no more (a full disk).
    :raises BrokenPipeError: If nobody reads it any longer.
    """
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        discard_output()
        raise OutputError(
            f"standard output: cannot be written ({error.strerror or error}); free space or send it elsewhere"
        ) from error


def write_json(text: str) -> None:
    """Write JSON to standard output; letters that its encoding does not have are escaped as JSON does it."""
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        text = re.sub(r"[^\x00-\x7f]", lambda found: json.dumps(found[0])[1:-1], text)
    write_text(text)


def discard_output() -> None:
    """Let what is left in standard output go nowhere: Python would complain once more at exit."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _flush_all() -> None:
    """Empty the buffers of Python and of the C library, each into the stream it was meant for."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    with contextlib.suppress(OSError, TypeError, AttributeError):
        library = ctypes.CDLL(None) if os.name != "nt" else ctypes.cdll.msvcrt
        library.fflush(None)
