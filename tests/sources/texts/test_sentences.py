import pytest

from forensics.errors import BadInputError
from forensics.sources.texts.sentences import (
    default_sentences,
    numbered_sentences,
    read_pairs,
    read_sentences,
    retrieval_set,
)


def test_sentences_are_distinct_lines_in_order(tmp_path):
    file = tmp_path / "s.txt"
    file.write_text("\ufeffone\n\n two \none\n", encoding="utf-8")
    assert read_sentences(file) == ["one", "two"]


def test_only_the_ends_of_lines_end_a_sentence_and_lines_are_counted_as_an_editor_does(tmp_path):
    file = tmp_path / "s.txt"
    file.write_bytes(
        "one\u2028still one\r\n\r\ntwo\x0bstill two\rthree\x85\none\u2028still one\nfour".encode()
    )
    assert numbered_sentences(file) == {
        "one\u2028still one": 1,
        "two\x0bstill two": 3,
        "three": 4,
        "four": 6,
    }


def test_an_empty_file_is_refused(tmp_path):
    file = tmp_path / "s.txt"
    file.write_text("\n \n")
    with pytest.raises(BadInputError, match="holds no sentence"):
        read_sentences(file)


def test_pairs_keep_open_similarities_open(tmp_path):
    file = tmp_path / "p.csv"
    file.write_text('sentence1,sentence2,similarity\n"a, b",c,0.25\nd,e,\n')
    assert read_pairs(file) == [("a, b", "c", 0.25), ("d", "e", None)]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("sentence1,sentence2\na,b\n", "no column similarity"),
        ("sentence1,sentence2,similarity\n", "no pair"),
        ("sentence1,sentence2,similarity\na,,0.1\n", "line 2 lacks"),
        ("sentence1,sentence2,similarity\na,b,high\n", "line 2 has the similarity 'high'"),
        ("sentence1,sentence2,similarity\na,b,nan\n", "line 2 has the similarity 'nan'"),
        ("sentence1,sentence2,similarity\na,b,0.5\nc,d,50\n", "line 3 has the similarity '50'"),
        ("sentence1;sentence2;similarity\na;b;0,5\n", "separated by semicolons"),
        ("sentence1\tsentence2\tsimilarity\na\tb\t0.5\n", "separated by tabs"),
        ("sentence1,sentence2,similarity\na, b,c,0.5\n", "line 2 has more fields"),
        ('sentence1,sentence2,similarity\n"a\nb",c,0.5\n"d\ne",f,x\n', "line 4 has the similarity 'x'"),
        ("sentence1,sentence2,similarity\n" + "a" * 200_000 + ",b,0.5\n", "line 2 is no CSV"),
    ],
)
def test_damaged_pairs_are_refused_with_the_place(tmp_path, text, said):
    file = tmp_path / "p.csv"
    file.write_text(text)
    with pytest.raises(BadInputError, match=said):
        read_pairs(file)


def test_embedded_sets_are_disjoint_and_large_enough():
    first, second = default_sentences()
    assert len(set(first)) == len(set(second)) == 300
    assert not set(first) & set(second)


def test_every_query_of_the_retrieval_set_has_its_document():
    data = retrieval_set()
    assert len(data.queries) == len(data.relevant) > 50
    assert set(data.relevant) <= set(range(len(data.documents)))
