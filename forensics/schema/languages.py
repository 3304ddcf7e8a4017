"""Names of languages, for whoever speaks of them."""

from __future__ import annotations

__all__ = ["language_name"]

#: Languages of the embedded text; others go by their code.
_NAMES = {
    "amh": "Amharic",
    "arb": "Arabic",
    "ben": "Bengali",
    "bod": "Tibetan",
    "deu": "German",
    "ell": "Greek",
    "eng": "English",
    "fin": "Finnish",
    "fra": "French",
    "heb": "Hebrew",
    "hin": "Hindi",
    "hun": "Hungarian",
    "hye": "Armenian",
    "ind": "Indonesian",
    "jpn": "Japanese",
    "kat": "Georgian",
    "khm": "Khmer",
    "kor": "Korean",
    "mya": "Burmese",
    "pes": "Persian",
    "por": "Portuguese",
    "rus": "Russian",
    "sat": "Santali",
    "shn": "Shan",
    "spa": "Spanish",
    "swh": "Swahili",
    "tam": "Tamil",
    "tha": "Thai",
    "tur": "Turkish",
    "ukr": "Ukrainian",
    "vie": "Vietnamese",
    "zho": "Chinese",
}


def language_name(code: str) -> str:
    """Return the English name of a language of the embedded text, else its code."""
    return _NAMES.get(code.partition("_")[0], code)
