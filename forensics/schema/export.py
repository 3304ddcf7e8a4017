"""`export`: what it can be asked for."""

from __future__ import annotations

from dataclasses import dataclass

from forensics.schema.options import option

__all__ = ["EXPORT_FORMATS", "ExportOptions"]

#: Names of the formats; how each is written stands in `repairing/ban_formats.py`.
EXPORT_FORMATS = (
    "logit-bias", "llama.cpp", "llama.cpp-server", "vllm-allowed", "transformers", "transformers-bad-words",
    "text-generation-webui", "sillytavern", "ids", "txt",
)  # fmt: skip


@dataclass(frozen=True)
class ExportOptions:
    """What `export` can be asked for."""

    format: str = option("ids", "How the list is written.", choices=EXPORT_FORMATS)
    what: str = option(
        "unknown",
        "Verified tokens that ordinary text does not clear, all verified ones, or the strongly verified "
        "of the first.",
        choices=("unknown", "verified", "strong"),
    )
    reserved: bool = option(False, "Ban entries that a file declares reserved, too.")
    past_vocabulary: bool = option(False, "Ban rows past the tokenizer's vocabulary, too.")
    keep: tuple[int, ...] | None = option(
        None, "Never ban these, e.g. 177-187,50256.", metavar="IDS", ids=True
    )
