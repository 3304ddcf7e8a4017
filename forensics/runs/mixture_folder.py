"""What `mixture` finds in its folder: a finished run of the same inputs, or one it must not mix with."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from forensics.errors import BadInputError
from forensics.report.files import read_json

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["finished_mixture"]


def finished_mixture(folder: Path, run: str) -> tuple[dict[str, Any], pd.DataFrame, dict[str, Any]] | None:
    """Return summary, merges and manifest of the finished run in `folder`; None where there is none.

    :param folder: The folder of `--out`.
    :param run: The fingerprint of the run that is about to start.
    :raises BadInputError: If the folder holds a finished run of other inputs or options.
    """
    manifest = folder / "manifest.json"
    if not manifest.exists() or not any(
        (folder / name).exists() for name in ("mixture.json", "summary.json")
    ):
        return None
    found: dict[str, Any] = read_json(manifest)
    if found.get("fingerprint") != run or not (folder / "mixture.json").exists():
        raise BadInputError(
            folder,
            "holds a finished run of other inputs, options or versions",
            "name another folder with --out, or replace it with --overwrite",
        )
    from forensics.report.mixture import load_merges

    return read_json(folder / "mixture.json"), load_merges(folder), found
