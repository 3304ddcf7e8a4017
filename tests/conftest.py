"""What holds for all tests: how an environment without the extras is treated."""

from __future__ import annotations

import os
from collections.abc import Generator

import pytest

from tests.extras import ALL_EXTRAS, skipping


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--all-extras",
        action="store_true",
        help="a missing library of an extra is a failure, not a skip",
    )


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--all-extras"):
        os.environ[ALL_EXTRAS] = "1"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup() -> Generator[None]:
    with skipping():
        yield


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Generator[None]:
    with skipping():
        yield
