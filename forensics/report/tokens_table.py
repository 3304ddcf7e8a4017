"""`tokens.parquet`: one fixed schema, the same bytes for the same rows.

The columns are the ones users rely on. A column of the schema that the table does not have is
left out (a vocabulary without weights has no indicators), and columns it does not know are refused
rather than written under a guess of their type.
"""

from __future__ import annotations

from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from forensics.errors import BadInputError
from forensics.files import write_atomically

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

__all__ = ["COLUMNS", "INDICATORS", "read_tokens", "write_tokens"]

#: Indicator columns, low = suspicious.
INDICATORS = (
    "ein_l2_norm",
    "ein_cosine",
    "eout_cosine",
    "eout_cosine_centered",
    "eout_cosine_no_pc1",
    "eout_l2",
    "eout_bias",
)

#: Column -> Arrow type, in the order they are written.
COLUMNS: dict[str, str] = {
    "token_id": "int32",
    "piece": "string",
    "text": "string",
    "bytes": "binary",
    "category": "string",
    "is_byte": "bool",
    "is_special": "bool",
    "is_added": "bool",
    "script": "string",
    "reserved": "string",
    "context": "string",
    "reencodes_to": "string",
    "byte_role": "string",
    **dict.fromkeys(INDICATORS, "float"),
    "row_problem": "string",
    "duplicate_group": "int32",
    "duplicate_size": "int32",
    "near_duplicate_group": "int32",
    "near_duplicate_size": "int32",
    "is_reference": "bool",
    "rank": "int32",
    "is_candidate": "bool",
    "role": "string",
    "max_prob": "float",
    "max_prob_is_bound": "bool",
    "verdict": "string",
    "verified_by": "int32",
    "evidence": "string",
}


def write_tokens(path: Path, tokens: pd.DataFrame) -> Path:
    """Write the table, whole or not at all, without timestamps or anything else of this machine.

    :raises ValueError: If it has a column that the schema does not know, or lacks `token_id`.
    :raises OutputError: If the file cannot be written.
    """
    import pyarrow.parquet as pq

    table = _to_arrow(tokens)

    def write(file: IO[bytes]) -> None:
        # zstd at a fixed level; statistics and the writer's own version are the only metadata.
        pq.write_table(table, file, compression="zstd", compression_level=3, store_schema=False)

    return write_atomically(path, write)


def _to_arrow(tokens: pd.DataFrame) -> pa.Table:
    """Return the table in the order and the types of `COLUMNS`."""
    import pyarrow as pa

    unknown = sorted(set(tokens.columns) - set(COLUMNS))
    if unknown or "token_id" not in tokens.columns:
        raise ValueError(
            f"columns {unknown} are not in the schema" if unknown else "there is no column token_id"
        )
    names = [name for name in COLUMNS if name in tokens.columns]
    ordered = tokens.sort_values("token_id", kind="stable")
    arrays = [
        pa.array(ordered[name], type=pa.type_for_alias(COLUMNS[name]), from_pandas=True, safe=False)
        for name in names
    ]
    return pa.Table.from_arrays(
        [array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array for array in arrays],
        names=names,
    )


def read_tokens(path: Path) -> pd.DataFrame:
    """Read the table; integer and boolean columns that hold nulls come back as nullable types.

    :raises BadInputError: If the file is missing, damaged, or no table of tokens.
    """
    import pandas as pd
    import pyarrow as pa
    import pyarrow.parquet as pq

    nullable: dict[Any, Any] = {
        pa.int32(): pd.Int32Dtype(),
        pa.int64(): pd.Int64Dtype(),
        pa.bool_(): pd.BooleanDtype(),
    }
    try:
        table = pq.read_table(path)
    except FileNotFoundError as error:
        raise BadInputError(path, "no such file", "give a folder that forensics wrote") from error
    except (OSError, pa.ArrowInvalid) as error:
        raise BadInputError(path, f"no readable parquet file ({error})", "run the scan again") from error
    if "token_id" not in table.column_names:
        raise BadInputError(path, "has no column token_id", "give a folder that forensics wrote")
    frame: pd.DataFrame = table.to_pandas(types_mapper=nullable.get)
    return frame
