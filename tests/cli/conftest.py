"""The command line against a fake library: the library behind it has its own tests."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

import forensics
from forensics.runs.frame.result import Result
from forensics.schema.scan import VerificationSummary
from tests.report.synthetic import build, save


@dataclass
class FakeApi:
    """Records how it was called; `before` runs inside the call and may raise."""

    rendered: Path
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    before: Callable[[dict[str, Any]], None] = lambda _: None
    verified: bool = True

    def scan(self, model: str, **options: Any) -> Result[Any]:
        return self._answer("scan", {"model": model, **options})

    def tokens(self, tokenizer: str, **options: Any) -> Result[Any]:
        return self._answer("tokens", {"tokenizer": tokenizer, **options})

    def _answer(self, name: str, options: dict[str, Any]) -> Result[Any]:
        self.calls.append((name, options))
        self.before(options)
        tokens, summary, manifest = build()
        if not self.verified:
            summary = replace(summary, verification=VerificationSummary(skipped="there is no model"))
            tokens = tokens.drop(columns=["max_prob", "max_prob_is_bound", "verdict", "evidence"])
        shutil.copytree(self.rendered, options["out"], dirs_exist_ok=True)
        return Result({"tokens": tokens}, summary, manifest, options["out"])


@pytest.fixture(scope="session")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The planted run, rendered once."""
    folder = tmp_path_factory.mktemp("rendered")
    save(folder, *build())
    return folder


@pytest.fixture
def fake_api(rendered: Path, monkeypatch: pytest.MonkeyPatch) -> FakeApi:
    """Put a fake in the place of `forensics.scan` and `forensics.tokens`."""
    fake = FakeApi(rendered)
    monkeypatch.setattr(forensics, "scan", fake.scan, raising=False)
    monkeypatch.setattr(forensics, "tokens", fake.tokens, raising=False)
    return fake
