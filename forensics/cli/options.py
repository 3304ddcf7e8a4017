"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from forensics.cli.fail_on import Condition, parse_condition
from forensics.cli.main import Session
from forensics.cli.parsing import read_ids

__all__ = [
    "IDS",
    "analysis_options",
    "debug_option",
    "fail_on_option",
    "json_option",
    "remote_code_option",
    "resume_option",
    "seed_option",
    "threads_option",
]

_Command = TypeVar("_Command", bound=Callable[..., Any])


class _Ids(click.ParamType[list[int]]):
    """Token ids, written out or in a file."""

    name = "ids"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> list[int]:
        """Return the ids; errors of the parser go through unchanged."""
        return value if isinstance(value, list) else read_ids(value, _name(param))


class _Condition(click.ParamType[Condition]):
    """A `--fail-on` condition on a number of one command."""

    name = "condition"

    def __init__(self, command: str) -> None:
        self._command = command

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Condition:
        """Return the condition."""
        return value if isinstance(value, Condition) else parse_condition(value, self._command)


IDS = _Ids()


def _name(param: click.Parameter | None) -> str:
    """Return the option as the user types it."""
    return param.opts[-1] if param is not None and param.opts else "ids"


def _keep_debug(ctx: click.Context, _: click.Parameter, value: bool) -> None:
    """Remember `--debug` in the session."""
    if value:
        ctx.ensure_object(Session).debug = True


def debug_option(command: _Command) -> _Command:
    """Add `--debug`, which is also an option of the group."""
    return click.option(
        "--debug",
        is_flag=True,
        is_eager=True,
        expose_value=False,
        callback=_keep_debug,
        help="Show the traceback of an error.",
    )(command)


def json_option(command: _Command) -> _Command:
    """Add `--json`."""
    return click.option(
        "--json", "as_json", is_flag=True, help="Print one JSON object on standard output, and no progress."
    )(command)


def analysis_options(command: _Command) -> _Command:
    """Add what every analysing command takes: `--out`, `--overwrite`, `--offline`, `--json`, `--debug`."""
    for option in (
        debug_option,
        json_option,
        _offline_option,
        click.option("--overwrite", is_flag=True, help="Compute again what the folder already holds."),
        click.option(
            "--out",
            type=click.Path(file_okay=False, path_type=Path),
            metavar="DIR",
            help="Where files are written.  [default: results/<name>]",
        ),
    ):
        command = option(command)
    return command


def resume_option(command: _Command) -> _Command:
    """Add `--resume/--no-resume`."""
    return click.option(
        "--resume/--no-resume",
        default=True,
        show_default=True,
        help="Continue an interrupted run from what it kept.",
    )(command)


def _offline_option(command: _Command) -> _Command:
    """Add `--offline`; None where neither it nor the variable is set, so that the library decides."""
    return click.option(
        "--offline",
        is_flag=True,
        default=None,
        envvar="HF_HUB_OFFLINE",
        show_envvar=True,
        help="Never download; a hub id must be in the local cache.",
    )(command)


def fail_on_option(command: str, example: str) -> Callable[[_Command], _Command]:
    """Return what adds `--fail-on`.

    :param command: The command, whose numbers a condition may ask for.
    :param example: Such a condition.
    """
    return click.option(
        "--fail-on",
        type=_Condition(command),
        multiple=True,
        metavar="CONDITION",
        help=f"Exit with 1 if met, e.g. '{example}'; may be repeated.",
    )


def remote_code_option(command: _Command) -> _Command:
    """Add `--trust-remote-code`."""
    return click.option(
        "--trust-remote-code",
        is_flag=True,
        help="Let a model run the Python files in its folder. Only for folders you would run yourself.",
    )(command)


def seed_option(command: _Command) -> _Command:
    """Add `--seed`."""
    return click.option(
        "--seed",
        type=click.IntRange(min=0),
        default=0,
        show_default=True,
        metavar="N",
        help="What random choices are drawn from.",
    )(command)


def threads_option(command: _Command) -> _Command:
    """Add `--threads`."""
    return click.option(
        "--threads", type=click.IntRange(min=1), metavar="N", help="Processor threads.  [default: all cores]"
    )(command)
