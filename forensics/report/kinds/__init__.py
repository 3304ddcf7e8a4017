"""What each command shows of a run: one frozen record per command, in a module of its own.

The page, the terminal, a notebook, the gate and SARIF read the record and ask for nothing else, so a new
command is a new module here and a new row in the table.
"""

from __future__ import annotations

from importlib import import_module

from forensics.errors import BadInputError
from forensics.report.kinds.kind import Kind

__all__ = ["KINDS", "kind_of"]

#: Command -> the module that defines its `KIND`.
KINDS = {
    "scan": "forensics.report.kinds.scan",
    "tokens": "forensics.report.kinds.tokens",
    "sticky": "forensics.report.kinds.sticky",
    "mixture": "forensics.report.kinds.mixture",
}


def kind_of(name: object) -> Kind:
    """Return the record of a command, by the `kind` of its summary.

    :raises BadInputError: If no command writes such a summary.
    """
    if not isinstance(name, str) or name not in KINDS:
        raise BadInputError("summary.json", f"its kind is {name!r}", f"expected one of {', '.join(KINDS)}")
    kind: Kind = import_module(KINDS[name]).KIND
    return kind
