"""Heavy libraries wait until they are needed."""

from __future__ import annotations

import subprocess
import sys


def test_the_command_is_described_without_numba_highs_or_matplotlib() -> None:
    heavy = {"numba", "highspy", "pulp", "matplotlib", "pandas", "scipy", "numpy"}
    code = f"import sys, forensics.cli.mixture\nprint(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
