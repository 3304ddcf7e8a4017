"""A Dask cluster by the address of its scheduler: an engine that is there already, and none of our own."""

from __future__ import annotations

from typing import Any

from forensics.errors import MissingExtraError, OptionError

__all__ = ["DASK_SECONDS", "cluster"]

#: How long a scheduler is waited for.
DASK_SECONDS = 10


def cluster(address: str, extra: str, purpose: str, seconds: float = DASK_SECONDS) -> Any:
    """Return a client of the Dask scheduler at `address`, a context manager.

    :param address: E.g. `tcp://HOST:8786`.
    :param extra: The extra of this project that brings Dask, for the error.
    :param purpose: What it is needed for, as a noun phrase, for the error.
    :param seconds: How long the scheduler is waited for.
    :raises OptionError: If no scheduler answers there.
    :raises MissingExtraError: If distributed is not installed.
    """
    try:
        from distributed import Client
    except ImportError as error:
        raise MissingExtraError("distributed", extra, purpose) from error
    try:
        return Client(address, timeout=seconds)
    except (OSError, ValueError) as error:
        found = f"no Dask scheduler answers at {address!r} ({error})"
        raise OptionError(
            "dask", found, "start one with `dask scheduler` and give its address, e.g. tcp://HOST:8786"
        ) from error
