"""PEFT adapters: what one changes in the two matrices, where it is no model by itself.

An adapter stores changes to a base model that lies elsewhere. A matrix of tokens that it stores whole
(`modules_to_save`) can be examined; one that it changes by a product of low rank cannot, because what
the model uses is the sum. What an adapter does not store is in its base model, and so is never "tied".
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from forensics.errors import BadInputError
from forensics.files import read_json
from forensics.sources.checkpoints.embedding_names import EMBEDDING_NAMES, HEAD_NAMES, fits

__all__ = ["Adapter", "find_adapter"]

_CHANGE = re.compile(
    r"(?:^|\.)(?:lora_|base_layer\b|modules_to_save\b|loha_|lokr_|hada_|vera_|ia3_|oft_|boft_|token_adapter\b"
    r"|trainable_tokens)"
)
_MATRIX_MODULES = {
    suffix.removesuffix(".weight"): role
    for role, suffixes in (
        ("unembedding", [head.suffix for head in HEAD_NAMES if head.is_certain]),
        ("embedding", EMBEDDING_NAMES),
    )
    for suffix in suffixes
}


@dataclass(frozen=True)
class Adapter:
    """An adapter and its base."""

    #: The base model as the adapter names it, or None.
    base: str | None
    #: `embedding` or `unembedding` -> the tensors that change it.
    changes: dict[str, list[str]]

    def describe(self) -> str:
        """Return what it is, for a note or a message."""
        return f"a PEFT adapter{f' of {self.base}' if self.base else ''}"

    def refusal(self, where: Path) -> BadInputError | None:
        """Return the error for an adapter that changes a matrix by parts, None for any other."""
        if not self.changes:
            return None
        listed = "; ".join(f"the {role} by {', '.join(names[:3])}" for role, names in self.changes.items())
        found = f"{self.describe()}, which changes {listed}, and not a model"
        return BadInputError(where, found, "merge it into its base model (merge_and_unload) and name that")

    def without_embedding(self, where: Path, names: Iterable[str]) -> BadInputError:
        """Return the error for an adapter that holds no embedding.

        :param where: The adapter.
        :param names: Its tensors; an unembedding may be among them.
        """
        head = next((name for name in names if any(fits(name, h.suffix) for h in HEAD_NAMES)), None)
        if head is not None:
            found = (
                f"{self.describe()}, which stores the unembedding ({head}) and no embedding, and not a model"
            )
            remedy = "merge it into its base model (merge_and_unload) and name that"
            return BadInputError(where, found, remedy)
        found = f"{self.describe()}, which leaves embedding and unembedding as they are, and not a model"
        return BadInputError(where, found, "name the base model: its token matrices are the adapter's, too")


def find_adapter(weights: Path, names: Iterable[str]) -> Adapter | None:
    """Return the adapter that a weights file is, None for a model.

    :param weights: The file.
    :param names: Its tensors.
    """
    names = list(names)
    changing = [name for name in names if _CHANGE.search(name)]
    description = weights.with_name("adapter_config.json")
    is_named = weights.name.startswith("adapter_model") and description.is_file()
    if not is_named and not any(".lora_" in name for name in changing):
        return None
    base = read_json(description).get("base_model_name_or_path") if description.is_file() else None
    changes: dict[str, list[str]] = {}
    for name in changing:
        module = name[: _CHANGE.search(name).start()]  # type: ignore[union-attr]
        role = next((role for known, role in _MATRIX_MODULES.items() if fits(module, known)), None)
        if "trainable_tokens" in name and role is None:
            role = "embedding"  # rows of it, whatever the layer is called
        if role is not None:
            changes.setdefault(role, []).append(name)
    return Adapter(base[:200] if isinstance(base, str) and base else None, changes)
