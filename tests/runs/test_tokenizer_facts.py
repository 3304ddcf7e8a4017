from forensics.runs.tokenizer_facts import role_agreement, special_tokens
from forensics.vocabulary.build import build_vocabulary
from forensics.vocabulary.special import special_findings
from tests.vocabulary.vocabularies import byte_level_bpe


def test_roles_are_one_id_or_a_list_and_verdicts_go_to_their_tokens(tmp_path):
    source = byte_level_bpe(
        tmp_path,
        [],
        added=["<s>", "</s>"],
        tokenizer_config={"eos_token": "</s>"},
        generation_config={"eos_token_id": [256]},
        config={"eos_token_id": [256, 257]},
    )
    found = special_findings(source, build_vocabulary(source))
    assert role_agreement(found)["eos"] == {
        "tokenizer_config.json": 257,
        "config.json": [256, 257],
        "generation_config.json": 256,
        "agree": False,
    }
    trained = {token.piece: token.trained for token in special_tokens(found, {257: "rejected"})}
    assert trained == {"<s>": None, "</s>": "rejected"}
