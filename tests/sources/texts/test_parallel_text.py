import gzip

import pytest

from forensics.errors import BadInputError
from forensics.sources.texts.parallel_text import read_parallel_text


def write(folder, **texts):
    for name, text in texts.items():
        (folder / f"{name}.txt").write_bytes(text.encode())
    return folder


def test_embedded_text_is_line_aligned():
    text = read_parallel_text()
    assert len(text) == 250
    assert len(text.languages) == 32 == len(text.files)
    assert all(len(lines) == 250 and all(lines) for lines in text.lines.values())
    assert text.lines["deu_Latn"][0].startswith("Am Montag")


def test_only_line_ends_are_removed(tmp_path):
    write(tmp_path, a="one \r\ntwo\u2028\n\n", b="eins\n zwei\n\n")
    (tmp_path / "c.txt.gz").write_bytes(gzip.compress(b"un\ndeux\n\n"))
    text = read_parallel_text(tmp_path)
    assert dict(text.lines) == {
        "a": ("one ", "two\u2028", ""),
        "b": ("eins", " zwei", ""),
        "c": ("un", "deux", ""),
    }


def test_languages_and_lines_can_be_chosen():
    text = read_parallel_text(languages=["hin_Deva", "eng_Latn"], max_lines=7)
    assert text.languages == ("eng_Latn", "hin_Deva")
    assert len(text) == 7


@pytest.mark.parametrize(
    ("texts", "match"),
    [
        ({"a": "1\n2\n", "b": "1\n2\n3\n"}, r"b\.txt: 3 lines where a\.txt has 2"),
        ({"a": "1\n2\n", "b": "1\n \n"}, r"b\.txt: line 2 is empty"),
        ({"a": "1\n", "b": "\n"}, r"b\.txt: no text"),
        ({}, "no text"),
    ],
)
def test_text_that_does_not_match_is_refused(tmp_path, texts, match):
    with pytest.raises(BadInputError, match=match):
        read_parallel_text(write(tmp_path, **texts))


def test_missing_language_and_other_encodings_are_refused(tmp_path):
    with pytest.raises(BadInputError, match="no text for xyz"):
        read_parallel_text(languages=["xyz"])
    write(tmp_path, a="1\n")
    (tmp_path / "b.txt").write_bytes("é\n".encode("latin-1"))
    with pytest.raises(BadInputError, match="not UTF-8"):
        read_parallel_text(tmp_path)
