"""The options of a command: made from its dataclass in `schema`, and those that all commands share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, get_args, get_type_hints

import click

from forensics.cli.frame.fail_on import Condition, parse_condition
from forensics.cli.frame.gate import AcceptedFile, read_accepted_file
from forensics.cli.frame.parsing import read_ids
from forensics.cli.frame.session import Session
from forensics.schema.options import Option, Range, options_of

__all__ = ["debug_option", "declared_options", "json_option", "shared_options"]


class _Ids(click.ParamType[list[int]]):
    """Token ids, written out or in a file."""

    name = "ids"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> list[int]:
        """Return the ids; errors of the parser go through unchanged."""
        return value if isinstance(value, list) else read_ids(value, _flag_of(param))


class _PathText(click.ParamType[str]):
    """A path, in which `~` is the user's home: a shell leaves it as it is in `--cache=~/counts`."""

    name = "text"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the path."""
        return str(Path(value).expanduser()) if str(value).startswith("~") else str(value)


class _Folder(click.Path):
    """A folder that need not be there, in which `~` is the user's home."""

    def __init__(self) -> None:
        super().__init__(file_okay=False, path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the folder."""
        return super().convert(Path(value).expanduser(), param, ctx)


class _File(click.Path):
    """A file that need not be there, in which `~` is the user's home."""

    def __init__(self) -> None:
        super().__init__(dir_okay=False, path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the file."""
        return super().convert(Path(value).expanduser(), param, ctx)


class _Accepted(click.ParamType[AcceptedFile]):
    """A file of accepted findings, read at once: what is wrong with it is said before the long work."""

    name = "file"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> AcceptedFile:
        """Return what it holds; errors of the reader go through unchanged."""
        return value if isinstance(value, AcceptedFile) else read_accepted_file(Path(value).expanduser())


class _Condition(click.ParamType[Condition]):
    """A `--fail-on` condition on a run of one command."""

    name = "condition"

    def __init__(self, command: str) -> None:
        self._command = command

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Condition:
        """Return the condition."""
        return parse_condition(value, self._command) if isinstance(value, str) else value


def _flag_of(param: click.Parameter | None) -> str:
    """Return the option as the user types it."""
    return param.opts[-1] if param is not None and param.opts else "ids"


def declared_options(kind: type, more: Mapping[str, click.Option]) -> list[click.Option]:
    """Return the options that a class of options declares.

    :param kind: A dataclass of `schema`.
    :param more: Options that stand for no field of it -> after the name of which they stand; `` for the first
        place.
    """
    hints = get_type_hints(kind)
    found = [more[""]] if "" in more else []
    for name, declared, default in options_of(kind):
        found.append(_option(name, declared, default, hints[name]))
        if name in more:
            found.append(more[name])
    return found


def _option(name: str, declared: Option, default: Any, hint: Any) -> click.Option:
    flag = "--" + name.replace("_", "-")
    help_text = declared.help + (f"  [default: {declared.default_text}]" if declared.default_text else "")
    if bool in (hint, *get_args(hint)):
        if declared.both_ways:
            both = f"{flag}/--no-{flag[2:]}"
            return click.Option([both], default=default, show_default=default is not None, help=help_text)
        return click.Option([flag], is_flag=True, help=help_text)
    return click.Option(
        [flag],
        type=_type(declared, hint),
        default=default if not declared.multiple else None,
        show_default=default not in (None, (), ""),
        multiple=declared.multiple,
        metavar=declared.metavar,
        help=help_text,
    )


def _type(declared: Option, hint: Any) -> click.ParamType[Any]:
    """Return the click type of an option that takes a value."""
    if declared.ids:
        return _Ids()
    if declared.path:
        return _PathText()
    if declared.choices:
        return click.Choice(declared.choices)
    kinds = get_args(hint) or (hint,)
    if int not in kinds and float not in kinds:
        return click.STRING
    if declared.range is None:
        return click.INT if int in kinds else click.FLOAT
    return _range(declared.range, whole=int in kinds)


def _range(limits: Range, *, whole: bool) -> click.ParamType[Any]:
    if whole:
        least, most = (None if end is None else int(end) for end in (limits.least, limits.most))
        return click.IntRange(least, most, min_open=limits.open_least, max_open=limits.open_most)
    return click.FloatRange(limits.least, limits.most, min_open=limits.open_least, max_open=limits.open_most)


def shared_options(command: str, gate: str, *, seed: bool, resume: bool) -> Sequence[click.Option]:
    """Return what every analysing command takes.

    :param command: Its name.
    :param gate: An example of a `--fail-on` condition.
    :param seed: Whether anything in it is drawn at random.
    :param resume: Whether it keeps a journal.
    """
    return [
        click.Option(
            ["--fail-on"],
            type=_Condition(command),
            multiple=True,
            metavar="CONDITION",
            help=f"Exit with 1 if met, e.g. '{gate}' or 'error'; may be repeated.",
        ),
        *_finding_options(),
        *([_seed_option()] if seed else []),
        *([_resume_option()] if resume else []),
        click.Option(
            ["--out"],
            type=_Folder(),
            metavar="DIR",
            help="Where files are written.  [default: results/<name>]",
        ),
        click.Option(["--overwrite"], is_flag=True, help="Compute again what the folder already holds."),
        click.Option(
            ["--offline"],
            is_flag=True,
            default=None,  # neither it nor the variable: the library decides
            envvar="HF_HUB_OFFLINE",
            show_envvar=True,
            help="Never download; a hub id must be in the local cache.",
        ),
        json_option(),
        debug_option(),
    ]


def _finding_options() -> list[click.Option]:
    """Return what concerns the findings of a run."""
    return [
        click.Option(
            ["--accepted"],
            type=_Accepted(),
            metavar="FILE",
            help="TOML file of findings that --fail-on does not count, each with a reason.",
        ),
        click.Option(
            ["--write-accepted"],
            type=_File(),
            metavar="FILE",
            help="Write such a file from the findings of this run; the reasons are for you to fill in.",
        ),
        click.Option(
            ["--sarif"],
            type=_File(),
            metavar="FILE",
            help="Write the findings as SARIF 2.1.0, for code scanning.",
        ),
    ]


def _seed_option() -> click.Option:
    return click.Option(
        ["--seed"],
        type=click.IntRange(min=0),
        default=0,
        show_default=True,
        metavar="N",
        help="What random choices are drawn from.",
    )


def _resume_option() -> click.Option:
    return click.Option(
        ["--resume/--no-resume"],
        default=True,
        show_default=True,
        help="Continue an interrupted run from what it kept.",
    )


def json_option() -> click.Option:
    """Return `--json`."""
    return click.Option(
        ["--json", "as_json"],
        is_flag=True,
        help="Print one JSON object on standard output, and no progress.",
    )


def debug_option() -> click.Option:
    """Return `--debug`, which is also an option of the group."""
    return click.Option(
        ["--debug"],
        is_flag=True,
        is_eager=True,
        expose_value=False,
        callback=_keep_debug,
        help="Show the traceback of an error.",
    )


def _keep_debug(ctx: click.Context, _: click.Parameter, value: bool) -> None:
    """Remember `--debug` in the session, wherever in the line it stands."""
    if value:
        ctx.ensure_object(Session).debug = True
