"""The planted run, built and rendered once for all tests of the report."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.report.synthetic import build, save


@pytest.fixture(scope="session")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the data files and the reports of the planted run; read only."""
    folder = tmp_path_factory.mktemp("planted-run")
    save(folder, *build())
    return folder
