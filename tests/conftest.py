"""What holds for all tests: how an environment without the extras, or a loaded machine, is treated."""

from __future__ import annotations

import os
from collections.abc import Generator

import pytest
from hypothesis import HealthCheck, settings

from tests.extras import ALL_EXTRAS, skipping

# No test is timed, the drawing of its examples neither: a loaded machine is slow and not wrong.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")


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
