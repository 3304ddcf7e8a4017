"""One way for all analysing commands: parse, call the library, show what it gave, mind the gate."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from forensics.cli.frame.fail_on import Condition
from forensics.cli.frame.gate import AcceptedFile, Gate
from forensics.cli.frame.options import declared_options, shared_options
from forensics.cli.frame.parsing import default_folder
from forensics.cli.frame.session import Session

if TYPE_CHECKING:
    from forensics.runs.frame.result import Result

__all__ = ["Analysis", "analysis"]

#: Calls the library with what is examined and the options.
Call = Callable[..., "Result[Any]"]


class Analysis(click.Command):
    """A command that `analysis` made, and what it is made of."""

    #: What it calls.
    call: Call
    #: From what is examined to the default of `--out`.
    folder: Callable[..., Path]


def analysis(
    name: str,
    options: type,
    *,
    short_help: str,
    example: str,
    gate: str,
    seed: bool = True,
    resume: bool = False,
    more: Mapping[str, click.Option] | None = None,
    folder: Callable[..., Path] = default_folder,
    metavar: str | None = None,
) -> Callable[[Call], Analysis]:
    """Return what makes a command of a function; the function's docstring is the command's help.

    Its first parameter is what is examined: one thing, or several where it is written `*name`.

    :param name: Its name.
    :param options: Its dataclass of options.
    :param short_help: One line for the overview.
    :param example: A command line that runs.
    :param gate: An example of a `--fail-on` condition.
    :param seed: Whether anything in it is drawn at random.
    :param resume: Whether it keeps a journal.
    :param more: Options that stand for no field, see `declared_options`.
    :param folder: From what is examined to the default of `--out`.
    :param metavar: How the usage line writes what is examined, if not by the parameter's name.
    """

    def make(call: Call) -> Analysis:
        examined = next(iter(inspect.signature(call).parameters.values()))
        several = examined.kind is inspect.Parameter.VAR_POSITIONAL
        argument = click.Argument([examined.name], nargs=-1 if several else 1, required=True, metavar=metavar)

        @click.pass_context
        def callback(ctx: click.Context, /, **given: Any) -> int:
            found = given.pop(examined.name)
            targets = found if several else (found,)
            out = given.pop("out") or folder(*targets)
            session = ctx.ensure_object(Session)
            session.command, session.folder = ctx.command, out
            return _run(call, targets, out, session, **given)

        made = Analysis(
            name,
            params=[
                argument,
                *declared_options(options, more or {}),
                *shared_options(name, gate, seed=seed, resume=resume),
            ],
            callback=callback,
            help=inspect.getdoc(call),
            short_help=short_help,
            epilog=f"Example: {example}",
        )
        made.call, made.folder = call, folder
        return made

    return make


def _run(
    call: Call,
    targets: Sequence[str],
    out: Path,
    session: Session,
    *,
    as_json: bool,
    fail_on: Sequence[Condition],
    accepted: AcceptedFile | None,
    write_accepted: Path | None,
    sarif: Path | None,
    **given: Any,
) -> int:
    """Call the library with standard output kept for the result, and finish."""
    from forensics.cli.frame.finish import finish
    from forensics.cli.frame.flags import as_typed
    from forensics.cli.frame.streams import library_output_on_stderr
    from forensics.cli.frame.terminal import make_progress

    gate = Gate(fail_on, accepted, write_accepted, sarif)
    gate.check()
    progress = make_progress(quiet=as_json, spell=lambda text: as_typed(text, session.command))
    with library_output_on_stderr():
        result = call(*targets, out=out, command_line=session.command_line, progress=progress, **given)
    return finish(result, targets[0], out, gate, as_json=as_json)
