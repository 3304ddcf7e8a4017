"""GGUF files that are no model by themselves: parts of a split one, and the image half of a vision model."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

__all__ = ["GGUF_PART", "first_part", "whole_models"]

#: A part as llama-gguf-split names it; the first holds the metadata of all.
GGUF_PART = re.compile(r"(.*)-(\d{5})-of-(\d{5})\.gguf")
_PROJECTOR = re.compile(r"mmproj.*\.gguf$")


def first_part(path: Path) -> Path:
    """Return the file that holds the metadata: the first part of a split model, any other file itself.

    >>> first_part(Path("m-00003-of-00005.gguf")).name
    'm-00001-of-00005.gguf'
    """
    part = GGUF_PART.fullmatch(path.name)
    return path if part is None else path.with_name(f"{part[1]}-00001-of-{part[3]}.gguf")


def whole_models(files: Iterable[Path]) -> list[Path]:
    """Return the files of language models, one for each, in order; projectors are left out."""
    return sorted({first_part(file) for file in files if not _PROJECTOR.search(file.name)})
