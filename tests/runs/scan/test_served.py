"""A scan whose model is served elsewhere: the truth is what the server was made to say."""

from __future__ import annotations

import contextlib

import pytest

from forensics.errors import BadInputError, OptionError
from forensics.runs.scan.run import scan
from tests.extras import need
from tests.fake_server import Behaviour, copier, serving
from tests.runs.conftest import ROWS

need("urllib3")

DEAD = {300, 310, 320}


def served(tiny_model, url, **options):
    return scan(
        tiny_model, endpoint=url, tokens=[*sorted(DEAD), 330, 340], candidates=1, audit_sample=0, **options
    )


@pytest.mark.parametrize("dialect", ["llama.cpp", "vllm"])
def test_exactly_what_the_server_cannot_say_verifies(tiny_model, dialect):
    with serving(Behaviour(copier(ROWS, DEAD), dialect)) as url:
        result = served(tiny_model, url)
    verified = result.tokens[result.tokens.verdict.str.startswith("verified", na=False)]
    assert set(verified.token_id) == DEAD
    controls = result.summary["verification"]["controls"]
    assert controls["passed"] == controls["tested"]
    assert any(url in note for note in result.summary["notes"])


def test_a_server_of_another_model_is_refused_before_the_long_work(tiny_model):
    behaviour = Behaviour(copier(ROWS, set(range(ROWS))))
    with serving(behaviour) as url, pytest.raises(BadInputError, match="well-trained tokens"):
        served(tiny_model, url)
    assert behaviour.asked < 30 * 24


def test_too_few_requests_are_told_before_the_first_or_kept_for_the_next_run(tiny_model, tmp_path):
    behaviour = Behaviour(copier(ROWS, DEAD))

    def questions(**options):
        before = behaviour.asked
        result = None
        with contextlib.suppress(OptionError):
            result = served(tiny_model, url, **options)
        return behaviour.asked - before, result

    with serving(behaviour) as url:
        with pytest.raises(OptionError, match="are needed"):
            served(tiny_model, url, max_requests=10)
        assert behaviour.asked <= 3  # the check of the server itself
        needed, whole = questions()
        spent, nothing = questions(max_requests=needed - 10, out=tmp_path / "out")
        again, result = questions(out=tmp_path / "out")
    assert (spent, nothing) == (needed - 10, None)
    assert again < needed
    assert result.tokens.verdict.tolist() == whole.tokens.verdict.tolist()
