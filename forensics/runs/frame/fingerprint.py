"""By what a run is known again: one rule for all commands.

The contents of its files by what they are for, the options that move a number, the seed, the command and the
version. Never where a file lies, what it is called, or how its path was typed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence

from forensics import __version__
from forensics.schema.options import moving

__all__ = ["fingerprint"]


def fingerprint(
    command: str, options: object, contents: Mapping[str, Sequence[str]], seed: int | None
) -> str:
    """Return the hash of everything that a run's results depend on.

    :param command: Its name.
    :param options: Its dataclass of options.
    :param contents: What files are for -> their sha256.
    :param seed: What random choices are drawn from.
    """
    facts = {
        "command": command,
        "version": __version__,
        "options": moving(options),
        "files": {role: list(hashes) for role, hashes in contents.items()},
        "seed": seed,
    }
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
