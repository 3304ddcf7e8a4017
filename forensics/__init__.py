"""Audits of released language models.

`import forensics as fx` gives what the command line gives: `fx.scan`, `fx.audit`, `fx.compare` and so on, and
the sources `fx.open_checkpoint` and `fx.open_tokenizer`. Results carry `.tokens` (a pandas table), `.summary`
and `.save(folder)`. Importing this costs milliseconds; a name brings its libraries when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec

# Not imported: under `python -m forensics` the working folder comes first until `__main__` has run, and a
# `typing.py` in it would be taken.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from forensics.runs.audit.run import audit
    from forensics.runs.compare.run import compare
    from forensics.runs.index.run import index
    from forensics.runs.mixture.run import infer_mixture
    from forensics.runs.repair.run import repair
    from forensics.runs.scan.run import scan
    from forensics.runs.sticky.run import find_sticky_tokens
    from forensics.runs.tokens import tokens
    from forensics.sources import open_checkpoint, open_tokenizer

__version__ = "0.1.0"
__all__ = [
    "audit",
    "compare",
    "find_sticky_tokens",
    "index",
    "infer_mixture",
    "open_checkpoint",
    "open_tokenizer",
    "repair",
    "scan",
    "tokens",
]

#: Public name -> module that defines it, where that is not the module of `forensics.runs` of the same name.
_HOMES = {
    "audit": "forensics.runs.audit.run",
    "compare": "forensics.runs.compare.run",
    "find_sticky_tokens": "forensics.runs.sticky.run",
    "index": "forensics.runs.index.run",
    "open_checkpoint": "forensics.sources",
    "open_tokenizer": "forensics.sources",
    "infer_mixture": "forensics.runs.mixture.run",
    "repair": "forensics.runs.repair.run",
    "scan": "forensics.runs.scan.run",
}


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name, f"forensics.runs.{name}")
    if not name.startswith("_") and find_spec(home) is not None:
        found = getattr(import_module(home), name, None)
        if found is not None:
            return found
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
