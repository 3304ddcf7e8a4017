"""The `forensics` command: gathers the commands, and turns every error into one line.

A command is a module of `forensics.cli` that defines `command`. Such modules import click and the schema and
nothing heavy: `forensics --help` reads them all.
"""

from __future__ import annotations

import errno
import pkgutil
import sys
from collections.abc import Sequence
from importlib import import_module

import click

from forensics import __version__
from forensics.cli.frame.error_line import error_line
from forensics.cli.frame.finish import EXIT_BAD_INPUT, EXIT_CONDITION_MET
from forensics.cli.frame.options import debug_option
from forensics.cli.frame.session import Session
from forensics.cli.frame.streams import discard_output, prepare_streams

__all__ = ["EXIT_BAD_INPUT", "EXIT_CONDITION_MET", "EXIT_INTERRUPTED", "cli", "command_names", "main", "run"]

#: 128 + SIGINT, as shells count.
EXIT_INTERRUPTED = 130
#: 128 + SIGPIPE: whoever read the output closed it, e.g. `forensics scan demo | head -1`.
_EXIT_BROKEN_PIPE = 141
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def command_names() -> tuple[str, ...]:
    """Return the names of all commands, sorted: every module beside this one is one."""
    import forensics.cli

    found = pkgutil.iter_modules(forensics.cli.__path__)
    return tuple(sorted(each.name for each in found if not each.ispkg and each.name != "main"))


class _Commands(click.Group):
    """A group whose commands are imported when they are asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names."""
        return list(command_names())

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return one command, None where there is no such name."""
        if cmd_name not in command_names():
            return None
        command: click.Command = import_module(f"forensics.cli.{cmd_name}").command
        return command


def _print_version(ctx: click.Context, _: click.Parameter, value: bool) -> None:
    if value:
        click.echo(f"forensics {__version__}")
        ctx.exit()


cli = _Commands(
    "forensics",
    params=[
        click.Option(
            ["--version"],
            is_flag=True,
            is_eager=True,
            expose_value=False,
            callback=_print_version,
            help="Show the version and exit.",
        ),
        debug_option(),
    ],
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Audit released language models from their files.\n\n"
    "Exit codes: 0 done; 1 done, and a --fail-on condition was met; 2 bad input or usage; 130 interrupted.",
    epilog="Example: forensics scan demo",
)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit with its code."""
    prepare_streams()
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
        discard_output()
        return _EXIT_BROKEN_PIPE
    if isinstance(error, click.UsageError):
        hint = f"; see `{error.ctx.command_path} --help`" if error.ctx is not None else ""
        _say(error.format_message().rstrip(".") + hint)
    elif isinstance(error, click.ClickException):
        _say(error.format_message())
    elif isinstance(error, OSError) and error.errno in _FULL:
        discard_output()
        _say(f"{error.filename or 'an output'}: cannot be written ({error.strerror}); free space")
    else:
        _say(error_line(error, session.command, debug=session.debug))
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
