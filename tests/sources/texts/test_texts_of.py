from __future__ import annotations

import gzip
import json

import pytest

from forensics.errors import BadInputError
from forensics.sources.texts.text_pieces import texts_of


def test_lines_records_and_rows_are_texts_and_blank_ones_none(tmp_path):
    import pandas as pd

    plain = tmp_path / "a.txt"
    plain.write_bytes("\ufeffone\r\n\n  two\u2028still two \n".encode())
    assert list(texts_of(plain)) == ["one", "  two\u2028still two "]
    records = tmp_path / "a.jsonl.gz"
    records.write_bytes(
        gzip.compress("".join(json.dumps({"text": t}) + "\n" for t in ("a\nb", " ", "c")).encode())
    )
    assert list(texts_of(records)) == ["a\nb", "c"]
    rows = tmp_path / "a.parquet"
    pd.DataFrame({"text": ["x\ny", "", "z"]}).to_parquet(rows)
    assert list(texts_of(rows)) == ["x\ny", "z"]
    damaged = tmp_path / "b.jsonl"
    damaged.write_text('{"text": 1}\n')
    with pytest.raises(BadInputError, match="no string"):
        list(texts_of(damaged))
