import dataclasses

import pytest

from forensics.auditing.languages import audit_languages
from forensics.auditing.premium import Ratio
from forensics.auditing.whole import audit_tokenizer, headline
from forensics.schema.finding import Level
from forensics.schema.languages import language_name
from forensics.sources.tokenizer_files.chat_templates import ChatTemplate
from tests.auditing.templates import CHATML
from tests.auditing.test_languages import PARALLEL
from tests.auditing.tokenizers_at_hand import at_hand


def test_whole_audit_has_every_part_and_is_the_same_again():
    source, vocabulary = at_hand("byte_level")
    templates = [ChatTemplate("default", CHATML, "a.jinja", 1), ChatTemplate("default", "{{ x", "b.json", 1)]
    audit = audit_tokenizer(source, vocabulary, PARALLEL, templates)
    rules = [finding.rule for finding in audit.findings]
    assert rules[0] == "template/unparsable"  # the only error
    assert {"template/copies-differ", "template/special-missing", "special/from-text"} <= set(rules)
    severities = [finding.level.severity for finding in audit.findings]
    assert severities == sorted(severities, reverse=True)
    assert len(audit.numbers) == 10 and len(audit.dates) == 9 and audit.gaps == ()
    again = audit_tokenizer(source, vocabulary, PARALLEL, templates)
    assert (again.headline, again.findings, again.numbers, again.dates) == (
        audit.headline,
        audit.findings,
        audit.numbers,
        audit.dates,
    )
    assert audit.headline.endswith("1 error, 2 warnings, 1 note.")


def test_missing_parts_have_a_reason():
    audit = audit_tokenizer(*at_hand("byte_level"), PARALLEL)
    assert audit.templates == () and "no chat template" in audit.not_applicable["template"]
    assert not [finding for finding in audit.findings if finding.level is Level.ERROR]


def quality(**premiums):
    audit = audit_languages(*at_hand("byte_level"), PARALLEL)
    (one, *_) = audit.languages
    languages = tuple(
        dataclasses.replace(one, language=code, premium=Ratio(value, None, "v"), struck=value > 90)
        for code, value in sorted(premiums.items(), key=lambda item: -item[1])
    )
    told = [one for one in languages if not one.struck and one.language != "eng_Latn"]
    return dataclasses.replace(
        audit,
        languages=languages,
        median_premium=4.0 if told else None,
        highest=told[0].language if told else None,
    )


@pytest.mark.parametrize(
    ("premiums", "sentence"),
    [
        (
            {"eng_Latn": 1, "deu_Latn": 2.14, "hin_Deva": 7.43, "shn_Mymr": 18.68},
            "X needs 2.1 times the tokens of English for German, 7.4 for Hindi, 18.7 for Shan "
            "(3 languages, median 4.0).",
        ),
        (
            {"eng_Latn": 1, "deu_Latn": 2.14, "hin_Deva": 7.43, "sat_Olck": 99},
            "X needs 2.1 times the tokens of English for German, 7.4 for Hindi (2 languages, median 4.0, "
            "1 left out for unknown tokens).",
        ),
        ({"eng_Latn": 1, "sat_Olck": 99}, "X gives no language but English without many unknown tokens."),
    ],
)
def test_headline(premiums, sentence):
    assert headline("X", quality(**premiums)) == sentence


def test_language_names():
    assert language_name("deu_Latn") == "German"
    assert language_name("xyz_Latn") == "xyz_Latn"
