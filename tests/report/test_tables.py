from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from forensics.errors import BadInputError
from forensics.report.tables import read_table, write_table
from forensics.schema.scan import SCAN_TABLE
from tests.report.synthetic import build


def test_the_same_rows_give_the_same_bytes_whatever_their_order(tmp_path: Path) -> None:
    tokens, _, _ = build()
    first = write_table(tmp_path / "a.parquet", tokens, SCAN_TABLE).read_bytes()
    shuffled = tokens.sample(frac=1, random_state=1)[sorted(tokens.columns)]
    assert write_table(tmp_path / "b.parquet", shuffled, SCAN_TABLE).read_bytes() == first


def test_the_schema_is_the_one_promised(tmp_path: Path) -> None:
    tokens, _, _ = build()
    schema = pq.read_schema(write_table(tmp_path / "a.parquet", tokens, SCAN_TABLE))
    assert schema.names == [name for name in SCAN_TABLE.names if name in tokens.columns]
    assert str(schema.field("max_prob").type) == "float"
    assert str(schema.field("bytes").type) == "binary"
    assert not schema.metadata


def test_values_and_nulls_survive_the_round_trip(tmp_path: Path) -> None:
    tokens, _, _ = build()
    back = read_table(write_table(tmp_path / "a.parquet", tokens, SCAN_TABLE), SCAN_TABLE)
    assert back["token_id"].tolist() == tokens["token_id"].tolist()
    assert [x if isinstance(x, bytes) else None for x in back["bytes"]] == tokens["bytes"].tolist()
    assert np.array_equal(back["max_prob"], tokens["max_prob"], equal_nan=True)
    assert back["duplicate_group"].isna().sum() == tokens["duplicate_group"].isna().sum()
    assert back["verdict"].isna().tolist() == tokens["verdict"].isna().tolist()


def test_a_column_outside_the_schema_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="surprise"):
        write_table(tmp_path / "a.parquet", pd.DataFrame({"token_id": [1], "surprise": [2]}), SCAN_TABLE)
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_or_foreign_file_is_named(tmp_path: Path) -> None:
    damaged = tmp_path / "tokens.parquet"
    damaged.write_bytes(b"PAR1 garbled")
    with pytest.raises(BadInputError, match=r"tokens\.parquet.*no readable parquet"):
        read_table(damaged, SCAN_TABLE)
    with pytest.raises(BadInputError, match=r"absent\.parquet.*no such file"):
        read_table(tmp_path / "absent.parquet", SCAN_TABLE)
    foreign = tmp_path / "foreign.parquet"
    pd.DataFrame({"x": [1]}).to_parquet(foreign)
    with pytest.raises(BadInputError, match="no column token_id"):
        read_table(foreign, SCAN_TABLE)
