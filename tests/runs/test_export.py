"""`export` from a scan's folder to a file."""

from __future__ import annotations

import json

import pandas as pd
import pytest

from forensics.cli.main import run
from forensics.errors import BadInputError, OptionError
from forensics.runs.export import ban_list
from forensics.schema.record import from_json, to_json
from forensics.schema.scan import ScanSummary
from tests.report import synthetic


@pytest.fixture(scope="module")
def scanned(tmp_path_factory):
    """A folder of a scan that looked again in ordinary text, and its table."""
    tokens, summary, manifest = synthetic.build()
    verified = tokens.verdict.fillna("").str.startswith("verified")
    tokens["cleared_by_text"] = pd.array([pd.NA] * len(tokens), dtype="boolean")
    cleared = tokens.index[verified & (tokens.category == "ok") & ~tokens.is_byte][0]
    tokens.loc[cleared, "cleared_by_text"] = True
    data = to_json(summary)
    found = {"cleared": 1, "fails": 0, "absent": int(verified.sum()) - 1, "text_tokens": 9, "positions": 9}
    data["verification"] = {**data["verification"], "in_text": found, "unknown_in_text": found["absent"]}
    folder = tmp_path_factory.mktemp("scan")
    synthetic.save(folder, tokens, from_json(ScanSummary, data), manifest)
    return folder, tokens, int(tokens.token_id[cleared])


def test_the_default_is_what_fails_in_text_too(scanned):
    folder, tokens, cleared = scanned
    bans = ban_list(folder)
    chosen = tokens.set_index("token_id").loc[list(bans.ids)]
    assert len(bans.ids) > 10
    assert chosen.verdict.str.startswith("verified").all()
    assert cleared not in bans.ids
    assert cleared in ban_list(folder, what="verified").ids
    assert set(ban_list(folder, what="strong").ids) < set(bans.ids)


def test_special_tokens_are_never_banned(scanned):
    folder, tokens, _ = scanned
    special = set(tokens.token_id[tokens.is_special])
    for what in ("unknown", "verified", "strong"):
        assert not special & set(ban_list(folder, what=what, reserved=True, past_vocabulary=True).ids)


def test_the_command_writes_what_the_function_gives(scanned, tmp_path, capsys):
    folder, _, _ = scanned
    file = tmp_path / "bans.json"
    assert run(["export", str(folder), "--format", "transformers", "--out", str(file)]) == 0
    assert json.loads(file.read_text())["suppress_tokens"] == list(ban_list(folder).ids)
    capsys.readouterr()
    kept = ban_list(folder).ids[0]
    assert run(["export", str(folder), "--keep", str(kept), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["ids"] == list(ban_list(folder).ids[1:])


def test_what_cannot_be_answered_is_refused(scanned, tmp_path):
    folder, _, _ = scanned
    with pytest.raises(OptionError, match="past_vocabulary"):
        ban_list(folder, format="logit-bias", past_vocabulary=True)
    with pytest.raises(BadInputError):
        ban_list(tmp_path)
    tokens, summary, manifest = synthetic.build()
    synthetic.save(tmp_path, tokens, summary, manifest)
    with pytest.raises(BadInputError, match="not looked at in ordinary text"):
        ban_list(tmp_path)
    assert ban_list(tmp_path, what="verified").ids
