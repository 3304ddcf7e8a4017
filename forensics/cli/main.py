"""The `forensics` command: gathers the commands, and turns every error into one line.

Commands are found by name in a table and imported when one is run, so that `forensics --help` costs
little more than starting Python.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path

import click

from forensics import __version__
from forensics.errors import ForensicsError

__all__ = ["COMMANDS", "EXIT_BAD_INPUT", "EXIT_CONDITION_MET", "EXIT_INTERRUPTED", "Session", "cli", "main"]

EXIT_CONDITION_MET = 1
EXIT_BAD_INPUT = 2
#: 128 + SIGINT, as shells count.
EXIT_INTERRUPTED = 130
#: 128 + SIGPIPE: whoever read the output closed it, e.g. `forensics scan demo | head -1`.
_EXIT_BROKEN_PIPE = 141


@dataclass(frozen=True)
class CommandEntry:
    """Where a command is found, and what `forensics --help` says of it without importing it."""

    #: The module that defines the click command under the name `command`.
    module: str
    #: One line for the overview.
    short_help: str


#: Command -> its module; a new command is a new row.
COMMANDS: dict[str, CommandEntry] = {
    "scan": CommandEntry("forensics.cli.scan", "Find the under-trained tokens of a model."),
    "tokens": CommandEntry("forensics.cli.tokens", "Examine a vocabulary alone, without weights."),
    "sticky": CommandEntry("forensics.cli.sticky", "Find the tokens that distort a text-embedding model."),
    "mixture": CommandEntry("forensics.cli.mixture", "Infer what a tokenizer was trained on."),
    "report": CommandEntry("forensics.cli.report", "Render the reports of a finished run again."),
}


@dataclass
class Session:
    """What must be known after a command has failed, when its options are gone."""

    #: The whole command line as typed, for the manifest.
    command_line: list[str] = field(default_factory=list)
    #: Whether errors show their traceback.
    debug: bool = False
    #: Where the running command keeps what it has done, if it does.
    folder: Path | None = None


class _LazyGroup(click.Group):
    """A group whose commands are imported when they are asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return one command, None where there is no such name."""
        entry = COMMANDS.get(cmd_name)
        if entry is None:
            return None
        command: click.Command = import_module(entry.module).command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the overview from the table, without importing any command."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.short_help) for name, entry in COMMANDS.items()])


def _keep_debug(ctx: click.Context, _: click.Parameter, value: bool) -> None:
    """Remember `--debug` in the session, wherever in the line it stands."""
    if value:
        ctx.ensure_object(Session).debug = True


@click.group(
    cls=_LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Example: forensics scan demo",
)
@click.version_option(__version__, prog_name="forensics", message="%(prog)s %(version)s")
@click.option(
    "--debug", is_flag=True, expose_value=False, callback=_keep_debug, help="Show tracebacks of errors."
)
def cli() -> None:
    """Audit released language models from their files.

    Exit codes: 0 done; 1 done, and a --fail-on condition was met; 2 bad input or usage;
    130 interrupted.
    """


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit with its code."""
    sys.exit(run(arguments))


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code; errors are one line on standard error.

    :param arguments: The arguments without the program's name; default those of the process.
    """
    typed = sys.argv[1:] if arguments is None else list(arguments)
    session = Session(["forensics", *typed])
    try:
        code = cli.main(typed, "forensics", standalone_mode=False, obj=session)
        sys.stdout.flush()
    except Exception as error:  # the one place where every error becomes one line
        if session.debug and not isinstance(error, (click.exceptions.Exit, BrokenPipeError)):
            import traceback

            traceback.print_exc()
        return _report(error, session)
    except KeyboardInterrupt:
        return _interrupted(session)
    except SystemExit:
        # click's own answer to a closed pipe is exit code 1, which here means a --fail-on condition.
        return _report(BrokenPipeError(), session)
    return code if isinstance(code, int) else 0


def _report(error: Exception, session: Session) -> int:
    """Print one line on what went wrong and return the exit code."""
    if isinstance(error, click.exceptions.Exit):
        return error.exit_code
    if isinstance(error, click.Abort):
        return _interrupted(session)
    if isinstance(error, BrokenPipeError):
        # Python would complain once more while flushing at exit; there is nobody left to read it.
        with contextlib.suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _EXIT_BROKEN_PIPE
    if isinstance(error, click.UsageError):
        hint = f"; see `{error.ctx.command_path} --help`" if error.ctx is not None else ""
        _say(error.format_message().rstrip(".") + hint)
    elif isinstance(error, click.ClickException):
        _say(error.format_message())
    elif isinstance(error, ForensicsError):
        _say(str(error))
    elif isinstance(error, MemoryError):
        _say("out of memory; try --no-verify, a smaller --batch-size, or a machine with more of it")
    else:
        what = " ".join(f"{type(error).__name__}: {error}".split())
        again = "" if session.debug else "; run again with --debug to see where"
        _say(f"internal error ({what}); this is a bug in forensics, please report it{again}")
    return EXIT_BAD_INPUT


def _interrupted(session: Session) -> int:
    """Say what was kept and return the exit code of an interruption."""
    folder = session.folder
    if folder is not None and folder.is_dir() and any(folder.iterdir()):
        kept = f"what was done so far is kept in {folder}; the same command continues it"
    else:
        kept = "nothing had been written"
    print(f"interrupted; {kept}", file=sys.stderr)
    return EXIT_INTERRUPTED


def _say(message: str) -> None:
    """Print the error line; whatever the message holds, it stays one line."""
    print("error: " + " ".join(message.split()), file=sys.stderr)
