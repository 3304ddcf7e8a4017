"""`tokens.parquet` of `sticky`: a fixed schema, columns that do not apply left out."""

from __future__ import annotations

from pathlib import Path
from typing import IO, TYPE_CHECKING

from forensics.files import write_atomically

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["BY_CATEGORY", "COLUMNS", "write_sticky_tokens"]

#: Column -> Arrow type, in the order they are written. Scores keep double precision: shortlists are cut at
#: a percentile, and rounding could move a token across it.
COLUMNS = {
    "token_id": "int32",
    "piece": "string",
    "text": "string",
    "category": "string",
    "sticky_score": "double",
    "rank": "int32",
    "shortlisted": "bool",
    "validation": "double",
    "validation_low": "double",
    "effect": "double",
    "effect_low": "double",
    "effect_high": "double",
    "q_value": "double",
    "sticky": "bool",
    "slope": "double",
    "slope_low": "double",
    "slope_high": "double",
    "fixed_point": "double",
    "shift_below": "double",
    "shift_above": "double",
    "variance_ratio": "double",
    "ndcg_in_queries": "double",
    "ndcg_in_documents": "double",
    "occurrences": "int64",
    "per_million": "double",
}
#: Columns of one category of text each are called this and the category's name.
BY_CATEGORY = "per_million:"


def write_sticky_tokens(path: Path, tokens: pd.DataFrame) -> Path:
    """Write the table, whole or not at all; the same rows give the same bytes.

    :raises ValueError: If it has a column that the schema does not know.
    :raises OutputError: If the file cannot be written.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    categories = {name: "double" for name in tokens.columns if name.startswith(BY_CATEGORY)}
    types = COLUMNS | categories
    unknown = sorted(set(tokens.columns) - set(types))
    if unknown:
        raise ValueError(f"columns {unknown} are not in the schema")
    names = [name for name in types if name in tokens.columns]
    ordered = tokens.sort_values("token_id", kind="stable")
    arrays = [
        pa.array(ordered[name], type=pa.type_for_alias(types[name]), from_pandas=True) for name in names
    ]
    table = pa.Table.from_arrays(
        [array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array for array in arrays],
        names=names,
    )

    def write(file: IO[bytes]) -> None:
        pq.write_table(table, file, compression="zstd", compression_level=3, store_schema=False)

    return write_atomically(path, write)
