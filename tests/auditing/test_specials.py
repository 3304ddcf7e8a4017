import json

from tokenizers import AddedToken

from forensics.auditing.specials import special_token_findings
from forensics.schema.finding import Level
from forensics.sources.tokenizer_files.open_tokenizer import open_tokenizer
from forensics.vocabulary.build import build_vocabulary
from tests.auditing.tokenizers_at_hand import at_hand
from tests.vocabulary.vocabularies import byte_level_bpe

TEMPLATE = "{% for m in messages %}<|user|>{{ m['content'] }}{% endfor %}"


def by_rule(source):
    found = {}
    for finding in special_token_findings(source, build_vocabulary(source)):
        found.setdefault(finding.rule, []).append(finding)
    return found


def test_tokenizer_without_special_tokens_has_nothing_to_tell():
    from forensics.auditing.specials import given_by_text

    source, vocabulary = at_hand("byte_level")
    found = special_token_findings(source, vocabulary)
    assert [f.rule for f in found] == ["special/from-text"]  # its one special token
    assert given_by_text(source, ()) == ()


def test_roles_that_disagree(tmp_path):
    source = byte_level_bpe(
        tmp_path,
        [],
        added=["<s>", "</s>"],
        tokenizer_config={"eos_token": "</s>"},
        config={"eos_token_id": 256, "bos_token_id": 256},
        special_tokens_map={"bos_token": "<s>"},
    )
    (finding,) = by_rule(source)["special/role-disagrees"]
    assert (finding.level, finding.subject) == (Level.ERROR, "eos")
    assert "tokenizer_config.json names 257; config.json names 256" in finding.message


def test_special_token_whose_text_is_not_one_id(tmp_path):
    source = byte_level_bpe(tmp_path, [], extra=["<pad>"], config={"pad_token_id": 256})
    (finding,) = by_rule(source)["special/split"]
    assert (finding.level, finding.token_id, finding.piece) == (Level.ERROR, 256, "<pad>")
    assert "encodes to 5 ids" in finding.message


def test_text_gives_control_tokens_and_the_template_s_are_a_warning(tmp_path):
    source = byte_level_bpe(
        tmp_path, [], added=["<|user|>", "<|end|>"], tokenizer_config={"chat_template": TEMPLATE}
    )
    found = by_rule(source)["special/from-text"]
    assert [(f.subject, f.level) for f in found] == [
        ("role markers", Level.WARNING),
        ("special tokens", Level.NOTE),
    ]
    assert "<|user|>" in found[0].message and "<|end|>" in found[1].message


def test_special_tokens_that_take_spaces_away(tmp_path):
    source = byte_level_bpe(tmp_path, [])
    source.encoder.add_special_tokens([AddedToken("<mask>", lstrip=True, special=True)])
    (tmp_path / "tokenizer.json").write_text(source.encoder.to_str())
    (finding,) = by_rule(open_tokenizer(tmp_path))["special/strips-neighbours"]
    assert finding.level is Level.NOTE and "<mask>" in finding.message
    assert json.dumps(dict(finding.evidence)) == '{"count": 1}'
