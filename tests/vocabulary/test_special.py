from forensics.vocabulary.build import build_vocabulary
from forensics.vocabulary.special import special_findings
from tests.vocabulary.vocabularies import byte_level_bpe


def findings(folder, **files):
    source = byte_level_bpe(folder, [], extra=["<pad>"], added=["<s>", "</s>"], **files)
    return source, special_findings(source, build_vocabulary(source))


def test_each_token_has_its_files_roles_and_encoding(tmp_path):
    source, found = findings(
        tmp_path,
        tokenizer_config={"eos_token": "</s>"},
        config={"eos_token_id": 258, "pad_token_id": 256},
    )
    assert source.pieces[256:] == ("<pad>", "<s>", "</s>")
    pad, bos, eos = found.tokens
    assert (eos.roles, eos.declared_in) == (
        ("eos",),
        ("tokenizer.json", "tokenizer_config.json", "config.json"),
    )
    assert (eos.single, eos.encodes_to) == (True, (258,))
    assert (bos.roles, bos.declared_in) == ((), ("tokenizer.json",))
    assert not pad.single
    assert [source.pieces[i] for i in pad.encodes_to] == list("<pad>")


def test_files_that_name_different_ids_disagree(tmp_path):
    _, found = findings(tmp_path, tokenizer_config={"eos_token": "</s>"}, config={"eos_token_id": 257})
    roles = {claims.role: claims for claims in found.roles}
    assert not roles["eos"].agree
    assert roles["eos"].claims == {"tokenizer_config.json": (258,), "config.json": (257,)}


def test_a_list_of_ids_agrees_with_a_file_that_names_one_of_them(tmp_path):
    _, found = findings(
        tmp_path, tokenizer_config={"eos_token": "</s>"}, generation_config={"eos_token_id": [257, 258]}
    )
    (eos,) = found.roles
    assert eos.agree
    assert eos.claims["generation_config.json"] == (257, 258)


def test_an_id_outside_the_vocabulary_is_a_claim_without_a_token(tmp_path):
    _, found = findings(tmp_path, config={"eos_token_id": 9999})
    assert {token.token_id for token in found.tokens} == {257, 258}
    assert found.roles[0].claims == {"config.json": (9999,)}
