"""The ordinary text that comes with the package, for looking at tokens where a model meets them."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from forensics.sources.texts.corpora import DEMO, Corpus, find_corpora

__all__ = ["natural_text"]


def natural_text() -> list[Corpus]:
    """Return the embedded text by category: code and speeches first, then the demo corpora.

    The first four are there for this purpose (`forensics/data/natural_text/README.md`); the demo corpora add
    other languages of both kinds.
    """
    folder = Path(str(resources.files("forensics.data") / "natural_text"))
    return [*find_corpora([folder]), *find_corpora([DEMO])]
