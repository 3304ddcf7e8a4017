"""A scan by text or in conversation: the truth is what the server was made to say."""

from __future__ import annotations

import pytest
import tokenizers

from forensics.errors import BadInputError
from forensics.progress import Progress
from forensics.runs.scan.run import scan
from forensics.schema.words import Verdict
from forensics.sources import open_tokenizer
from forensics.sources.runtimes.served_text import ServedText
from forensics.sources.runtimes.server_connection import Connection
from forensics.sources.runtimes.token_texts import TokenTexts
from forensics.undertrained.asked_verification import AskedVerifier
from forensics.undertrained.prompts import build_prompts
from forensics.undertrained.token_evidence import text_of_ids
from forensics.vocabulary.build import build_vocabulary
from tests.extras import need
from tests.fake_server import Behaviour, copier, serving
from tests.runs.conftest import ROWS

need("urllib3")

#: Ordinary tokens that text carries.
DEAD = {300, 310, 320}


@pytest.fixture(scope="module")
def tokenizer(tiny_model):
    return tokenizers.Tokenizer.from_file(str(tiny_model / "tokenizer.json"))


def served(tiny_model, url, *more, **options):
    tokens = [*sorted(DEAD), 330, 340, *more]
    return scan(tiny_model, endpoint=url, tokens=tokens, candidates=1, audit_sample=0, **options)


def verdicts(result):
    tested = result.tokens[result.tokens.role == "requested"]
    return dict(zip(tested.token_id, tested.verdict, strict=True))


@pytest.mark.parametrize(("dialect", "listed"), [("text", 20), ("chat", 20), ("chat", 5)])
def test_exactly_what_the_server_cannot_say_verifies(tiny_model, tokenizer, dialect, listed):
    partial, special = 250, tokenizer.token_to_id("<|im_end|>")
    assert "�" in tokenizer.decode([partial])
    behaviour = Behaviour(copier(ROWS, DEAD), dialect, tokenizer=tokenizer, listed=listed)
    with serving(behaviour) as url:
        result = served(tiny_model, url, partial, special)
    found = verdicts(result)
    assert {t for t, verdict in found.items() if verdict.startswith("verified")} == DEAD
    assert {t for t, verdict in found.items() if verdict == "rejected"} == {330, 340}
    assert {t for t, verdict in found.items() if verdict == "not_encodable"} == {partial, special}
    # The dead are listed nowhere, so what is known of them is a bound.
    assert set(result.tokens.token_id[result.tokens.max_prob_is_upper.fillna(False)]) == DEAD
    assert sum("max_prob ≤ " in finding.message for finding in result.findings) == len(DEAD)
    found = result.summary["verification"]
    assert found["interface"] == dialect
    assert found["controls"]["passed"] == found["controls"]["tested"]
    (note,) = [note for note in result.summary["notes"] if url in note]
    assert "not encodable" in note


def test_a_short_list_leaves_open_what_it_does_not_bound(tiny_model, tokenizer):
    # The model divides its probability between up to twelve tokens, and five of them say little of others.
    with serving(Behaviour(copier(ROWS, DEAD), "text", tokenizer=tokenizer, listed=5)) as url:
        result = served(tiny_model, url)
    assert {verdicts(result)[t] for t in DEAD} == {"inconclusive"}
    rows = result.tokens.set_index("token_id").loc[sorted(DEAD)]
    assert rows.max_prob_is_upper.all()
    assert (rows.max_prob >= 0.01).all()


def test_what_is_only_talked_to_is_not_looked_at_in_text(tiny_model, tokenizer):
    with serving(Behaviour(copier(ROWS, DEAD), "chat", tokenizer=tokenizer)) as url:
        result = served(tiny_model, url)
    assert "cleared_by_text" not in result.tokens
    found = result.summary["verification"]
    assert (found["in_text"], found["unknown_in_text"]) == (None, None)
    assert any("none is cleared" in note for note in result.summary["notes"])


def test_without_probabilities_nothing_verifies_and_what_is_not_said_is_inconclusive(tiny_model, tokenizer):
    behaviour = Behaviour(copier(ROWS, DEAD), "chat", tokenizer=tokenizer, listed=0)
    with serving(behaviour) as url:
        result = scan(tiny_model, endpoint=url, candidates=5, audit_sample=20)
    tested = result.tokens[result.tokens.role.notna()]
    assert not tested.verdict.str.startswith("verified").any()
    unsaid = tested[tested.verdict == "inconclusive"]
    assert DEAD & set(tested.token_id) <= set(unsaid.token_id)
    assert unsaid.max_prob.isna().all()
    found = result.summary["verification"]
    assert (found["verified"], found["estimate_total"], found["false_alarm_floor"]) == (0, None, None)
    assert any("gives no probabilities" in note for note in result.summary["notes"])


def test_a_server_of_another_model_is_refused_before_the_long_work(tiny_model, tokenizer):
    for dialect in ("text", "chat"):
        behaviour = Behaviour(copier(ROWS, set(range(ROWS))), dialect, tokenizer=tokenizer)
        with serving(behaviour) as url, pytest.raises(BadInputError, match="well-trained tokens"):
            served(tiny_model, url)
        assert behaviour.asked < 30 * 24


def test_numbers_made_by_a_temperature_are_not_believed(tiny_model, tokenizer):
    behaviour = Behaviour(copier(ROWS, DEAD), "text", tokenizer=tokenizer, after_temperature=True)
    with serving(behaviour) as url, pytest.raises(BadInputError, match="none of three ways") as caught:
        served(tiny_model, url)
    assert "\n" not in str(caught.value)
    behaviour = Behaviour(copier(ROWS, DEAD), "chat", tokenizer=tokenizer, after_temperature=True)
    with serving(behaviour) as url:
        result = served(tiny_model, url)
    assert result.summary["verification"]["interface"] == "said"
    assert {verdicts(result)[t] for t in DEAD} == {"inconclusive"}


def test_by_text_a_token_gets_what_it_gets_here(tiny_model, tokenizer):
    torch = need("torch")
    from transformers import AutoModelForCausalLM

    from forensics.undertrained.plain_verification import verify_plainly

    model = AutoModelForCausalLM.from_pretrained(tiny_model).eval()
    source = open_tokenizer(tiny_model)
    vocabulary = build_vocabulary(source, ROWS, Progress())
    # Two prompts are enough, and a hundred copies of a token are slow.
    prompts = build_prompts(source)[:2]
    decode = text_of_ids(vocabulary.bytes)
    texts = TokenTexts(source.encoder, vocabulary.bytes, special=[0])

    def next_token(ids):
        with torch.inference_mode():
            return model(input_ids=torch.tensor([list(ids)])).logits[0, -1].double().log_softmax(-1).numpy()

    with serving(Behaviour(next_token, "text", tokenizer=tokenizer, newer=True)) as url:
        asked = ServedText(Connection(url), texts, name="tiny", open_prompt=prompts[0].ids[:6])
        tokens = [t for t in range(270, 590) if all(texts.carries(p.fill(t), t) for p in prompts)][::12]
        verifier = AskedVerifier(asked, ROWS, prompts, decode, carries=asked.carries)
        found = verifier.verify(tokens)
    assert len(tokens) > 10
    exact = 0
    for token, evidence in zip(tokens, found, strict=True):
        plain = verify_plainly(model, prompts, token, decode)
        if evidence.max_prob_is_upper:
            assert evidence.max_prob >= plain.max_prob
            assert evidence.verdict.is_verified <= plain.verdict.is_verified
            assert evidence.verdict is not Verdict.REJECTED
        elif all(prompt.complete for prompt in evidence.prompts):
            assert evidence.max_prob == pytest.approx(plain.max_prob, rel=1e-4)
            assert evidence.verdict is plain.verdict
            exact += 1
        else:
            assert plain.max_prob >= evidence.max_prob * (1 - 1e-4)
    assert exact or any(evidence.max_prob_is_upper for evidence in found)
