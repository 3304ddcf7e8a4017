"""From the library's names of options to the command line's: `max_candidates` is `--max-candidates` there."""

from __future__ import annotations

import re

import click

from forensics.errors import OptionError

__all__ = ["as_typed", "error_as_typed"]

#: How the library writes an option in a sentence: `name`, or `name=False`.
_NAMED = re.compile(r"`(\w+)(=False)?`")


def as_typed(text: str, command: click.Command | None) -> str:
    """Return a message of the library with the options of `command` as the user types them."""
    if command is None:
        return text
    options = {
        param.name: param for param in command.params if isinstance(param, click.Option) and param.name
    }

    def flag(found: re.Match[str]) -> str:
        option = options.get(found[1])
        if option is None:
            return found[0]
        return option.secondary_opts[-1] if found[2] and option.secondary_opts else option.opts[0]

    return _NAMED.sub(flag, text)


def error_as_typed(error: Exception, command: click.Command | None) -> str:
    """Return the message of an error as the command line says it."""
    text = error.as_typed() if isinstance(error, OptionError) else str(error)
    return as_typed(text, command)
