"""Data files of a run: a declared table as parquet, the same bytes for the same rows.

A declared column that the rows do not have is left out (a vocabulary without weights has no indicators),
and columns that are not declared are refused rather than written under a guess of their type.
"""

from __future__ import annotations

from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from forensics.errors import BadInputError
from forensics.files import write_atomically

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from forensics.schema.columns import TableSchema

__all__ = ["read_table", "write_csv", "write_table"]


def write_table(path: Path, frame: pd.DataFrame, schema: TableSchema) -> Path:
    """Write a table, whole or not at all, without timestamps or anything else of this machine.

    :raises ValueError: If it has a column that is not declared, or lacks a key.
    :raises OutputError: If the file cannot be written.
    """
    import pyarrow.parquet as pq

    table = _to_arrow(frame, schema)

    def write(file: IO[bytes]) -> None:
        # zstd at a fixed level; statistics and the writer's own version are the only metadata.
        pq.write_table(table, file, compression="zstd", compression_level=3, store_schema=False)

    return write_atomically(path, write)


def write_csv(path: Path, frame: pd.DataFrame, schema: TableSchema) -> Path:
    """Write the same table as CSV in UTF-8: a heading, text in quotes, nothing for null.

    :raises ValueError: If it has a column that is not declared, or lacks a key.
    :raises OutputError: If the file cannot be written.
    """
    from pyarrow import csv

    table = _to_arrow(frame, schema)
    return write_atomically(path, lambda file: csv.write_csv(table, file))


def _to_arrow(frame: pd.DataFrame, schema: TableSchema) -> pa.Table:
    """Return the rows sorted by the key, the columns in the order and the types of the schema."""
    import pyarrow as pa

    types = {column.name: column.type for column in schema.columns}
    if schema.by_category:
        types |= {name: "double" for name in frame.columns if name.startswith(schema.by_category)}
    unknown = sorted(set(frame.columns) - set(types))
    missing = [name for name in schema.key if name not in frame.columns]
    if unknown or missing:
        said = f"columns {unknown} are not in the schema" if unknown else f"there is no column {missing[0]}"
        raise ValueError(f"table {schema.name!r}: {said}")
    names = [name for name in types if name in frame.columns]
    ordered = frame.sort_values(list(schema.key), kind="stable") if schema.key else frame
    arrays = [
        pa.array(ordered[name], type=pa.type_for_alias(types[name]), from_pandas=True, safe=False)
        for name in names
    ]
    whole = [array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array for array in arrays]
    return pa.Table.from_arrays(whole, names=names)


def read_table(path: Path, schema: TableSchema) -> pd.DataFrame:
    """Read a table, sorted by its key; integer and boolean columns with nulls come back as nullable types.

    :raises BadInputError: If the file is missing, damaged, or another table.
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
        raise BadInputError(path, f"no readable parquet file ({error})", "run the command again") from error
    for name in schema.key:
        if name not in table.column_names:
            raise BadInputError(path, f"has no column {name}", "give a folder that forensics wrote")
    frame: pd.DataFrame = table.to_pandas(types_mapper=nullable.get)
    return frame.sort_values(list(schema.key), kind="stable", ignore_index=True) if schema.key else frame
