"""A command on several inputs: `MODEL...`, `@FILE` or `--models-from FILE`, each with a folder of its own.

One input is handled as if this module were not there. Of several, none costs the others anything: what fails
is listed at the end, and the exit code is the worst of all.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path, PurePath
from typing import Any

import click

from forensics.cli.frame.command import Analysis
from forensics.cli.frame.gate import Gate
from forensics.cli.frame.session import Session
from forensics.errors import BadInputError

__all__ = ["folders_of", "read_names", "several"]

#: Where in the context the arguments are kept as typed.
_TYPED = "forensics.cli.frame.many"
#: What is said on the command line of one input otherwise, or not at all.
_OF_MANY = frozenset({"models_from", "jobs", "dask", "out"})
_STDIN = "-"
_HELP = (
    "Several {name}s, @FILE (a list), --models-from, --jobs or --dask: each is examined by itself and has a "
    "folder of its own below --out. What fails is listed and stops nothing else; the exit code is the worst "
    "of all."
)


class _Several(click.Command):
    """A command that remembers its arguments as they were typed."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse, having kept what there is to parse."""
        ctx.meta[_TYPED] = list(args)
        return super().parse_args(ctx, args)


def several(one: Analysis) -> click.Command:
    """Return the command for one input or several.

    With two inputs or more, or `--models-from`, `--jobs` or `--dask`, each has its folder below `--out`.
    """
    examined = one.params[0]
    name = examined.name or ""
    argument = click.Argument([name], nargs=-1, metavar=f"{name.upper()}...")

    @click.pass_context
    def callback(
        ctx: click.Context, /, models_from: Path | None, jobs: int | None, dask: str | None, **given: Any
    ) -> int:
        named: tuple[str, ...] = given.pop(name)
        if models_from is None and not named:
            raise click.MissingParameter(ctx=ctx, param=argument)
        several_meant = models_from is not None or jobs is not None or dask is not None
        if len(named) == 1 and not several_meant and not _names_a_list(named[0]):
            alone: int = ctx.invoke(_callback_of(one), **{name: named[0]}, **given)
            return alone
        named = tuple(_each_of(named))
        if models_from is not None:
            named = (*named, *read_names(models_from))
        return _run(one, ctx, named, jobs or 1, dask, **given)

    return _Several(
        one.name,
        params=[argument, *_options(), *one.params[1:]],
        callback=callback,
        help=f"{one.help}\n\n{_HELP.format(name=name.upper())}",
        short_help=one.short_help,
        epilog=one.epilog,
    )


def _callback_of(one: Analysis) -> Callable[..., Any]:
    if one.callback is None:
        raise TypeError(f"{one.name} does nothing")
    return one.callback


def _options() -> list[click.Option]:
    return [
        click.Option(
            ["--models-from"],
            type=click.Path(path_type=Path, allow_dash=True),
            metavar="FILE",
            help="Take names from a file too, one a line; what follows # is a comment, - is standard input.",
        ),
        click.Option(
            ["--jobs"],
            type=click.IntRange(min=1),
            metavar="N",
            help="Processes that work at a time, each with its part of the cores.  [default: 1]",
        ),
        click.Option(
            ["--dask"],
            metavar="ADDRESS",
            help="Address of a Dask scheduler whose workers do it; they must see the same paths.",
        ),
    ]


def _each_of(arguments: Sequence[str]) -> Iterator[str]:
    """Yield the inputs, those of a list in its place."""
    for argument in arguments:
        if _names_a_list(argument):
            yield from read_names(Path(argument[1:]))
        else:
            yield argument


def _names_a_list(argument: str) -> bool:
    """Whether an argument is `@FILE`: a list of inputs, unless something is called like this itself."""
    return argument.startswith("@") and len(argument) > 1 and not Path(argument).exists()


def read_names(path: Path) -> list[str]:
    """Return the names in a file, one a line.

    :param path: The file; `-` is standard input.
    :raises BadInputError: If it cannot be read, or names nothing.
    """
    from forensics.files import read_text

    if str(path) == _STDIN:
        try:
            text = sys.stdin.buffer.read().decode("utf-8-sig")
        except UnicodeDecodeError as error:
            found = f"byte {error.start:,} is not valid UTF-8"
            raise BadInputError("standard input", found, "send names as UTF-8, one a line") from error
    else:
        text = read_text(path.expanduser()).removeprefix("\ufeff")
    # A # within a name is part of it.
    lines = (re.split(r"(?:^|\s)#", line, maxsplit=1)[0].strip() for line in text.splitlines())
    names = [line for line in lines if line]
    if not names:
        where = "standard input" if str(path) == _STDIN else path
        raise BadInputError(where, "names nothing", "give names, one a line")
    return names


def folders_of(targets: Sequence[str], folder: Callable[[str], Path], out: Path | None) -> dict[str, Path]:
    """Return input -> its folder, in the order of the inputs; an input that is named twice stands once.

    Folders are named as for one input alone. Where two would be called the same, the names of the folders
    that the inputs lie in come first, as many as it takes. The order of the inputs moves no name.

    >>> folders_of(["a/x", "b/x", "y"], lambda name: Path("results") / Path(name).name, Path("o"))["a/x"].name
    'a-x'

    :param targets: As typed.
    :param folder: From an input to the default of `--out`.
    :param out: Where the folders shall lie; None: where the default lies.
    :raises BadInputError: If two cannot be told apart.
    """
    spelt: dict[PurePath, str] = {}
    for target in targets:
        spelt.setdefault(PurePath(target), target)
    once = tuple(spelt.values())
    names = {target: folder(target).name for target in once}
    above = {target: [p for p in PurePath(target).parts[:-1] if p not in ("/", "..", "~")] for target in once}
    depth = 0
    while clashing := _alike(names):
        depth += 1
        if all(len(above[target]) < depth for target in clashing):
            found = f"{' and '.join(clashing[:2])} would have the folder {names[clashing[0]]}"
            raise BadInputError("--out", found, "run them one by one, each with a folder of its own")
        for target in clashing:
            front = "-".join(above[target][-depth:])
            names[target] = "-".join(filter(None, (_safe(front), folder(target).name)))
    return {target: (folder(target).parent if out is None else out) / names[target] for target in once}


def _alike(names: Mapping[str, str]) -> list[str]:
    """Return the inputs whose folder another has too, on a disk that does not tell capitals apart."""
    groups: dict[str, list[str]] = {}
    for target, name in names.items():
        groups.setdefault(name.casefold(), []).append(target)
    return [target for group in groups.values() if len(group) > 1 for target in group]


def _safe(text: str) -> str:
    return re.sub(r"[^\w.+-]+", "-", text).strip("-.")


def _command_line(ctx: click.Context, target: str, folder: Path) -> list[str]:
    """Return the line that makes the run of one input alone, its options in the order of the help."""
    values, _, _ = ctx.command.make_parser(ctx).parse_args(list(ctx.meta[_TYPED]))
    line = ["forensics", ctx.command.name or "", target]
    for option in ctx.command.params:
        if not isinstance(option, click.Option) or option.name in _OF_MANY or option.name not in values:
            continue
        value = values[option.name]
        if option.is_flag:
            line.append(option.opts[0] if value else option.secondary_opts[0])
        else:
            each = value if option.multiple else [value]
            line += [part for one in each for part in (option.opts[0], str(one))]
    return [*line, "--out", str(folder)]


def _run(
    one: Analysis, ctx: click.Context, named: Sequence[str], jobs: int, dask: str | None, **given: Any
) -> int:
    """Run all of them, judge each as it ends, and show them."""
    from forensics.cli.frame.finish_many import Finished, finish_many
    from forensics.cli.frame.flags import as_typed
    from forensics.cli.frame.streams import library_output_on_stderr
    from forensics.cli.frame.terminal import make_progress
    from forensics.runs.frame.many import Task, attempts

    session = ctx.ensure_object(Session)
    out: Path | None = given.pop("out")
    folders = folders_of(named, one.folder, out)
    session.command = ctx.command
    session.folder = out or next(iter(folders.values())).parent
    as_json: bool = given.pop("as_json")
    gate = Gate(*(given.pop(name) for name in ("fail_on", "accepted", "write_accepted", "sarif")))
    gate.check()
    progress = make_progress(quiet=as_json, spell=lambda text: as_typed(text, ctx.command))
    tasks = [Task(target, folder, _command_line(ctx, target, folder)) for target, folder in folders.items()]
    finished = Finished(gate, session, as_json)
    with library_output_on_stderr(), progress.stage(one.name or "", len(tasks), "inputs") as stage:
        for attempt in attempts(one.call, tasks, given, jobs=jobs, dask=dask, progress=progress):
            finished.add(attempt)
            stage.advance(failed=finished.failures)
    return finish_many(finished, tasks)
