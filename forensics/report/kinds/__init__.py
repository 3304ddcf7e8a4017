"""What each command shows of a run: one frozen record per command, in a module of its own.

The page, the terminal, a notebook, the gate and SARIF read the record and ask for nothing else. A new
command is a new module here that defines `KIND`; it is found by the name of its file.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

from forensics.errors import BadInputError
from forensics.report.kinds.kind import Kind

__all__ = ["kind_names", "kind_of"]


@cache
def kind_names() -> tuple[str, ...]:
    """Return the commands that write a report.

    >>> 'scan' in kind_names()
    True
    """
    return tuple(sorted(module.name for module in iter_modules(__path__) if module.name != "kind"))


def kind_of(name: object) -> Kind[Any]:
    """Return the record of a command, by the `kind` of its summary.

    :raises BadInputError: If no command writes such a summary.
    """
    if name not in kind_names():
        expected = f"expected one of {', '.join(kind_names())}"
        raise BadInputError("summary.json", f"its kind is {name!r}", expected)
    kind: Kind[Any] = import_module(f"{__name__}.{name}").KIND
    return kind
