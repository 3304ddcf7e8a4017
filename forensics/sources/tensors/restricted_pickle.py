"""A pickle reader that builds tensors' descriptions and can run nothing.

PyTorch's `.bin` files describe their tensors with a pickle, and a pickle is a program. This reader
knows a short list of names that a saved state dict uses, replaces each by an inert stand-in, and
refuses the file at the first other name or opcode, before anything of it has been executed. It plays
the part of `torch.load(weights_only=True)` without importing torch, which the base install does not
bring.
"""

from __future__ import annotations

import collections
import mmap
import pickle
import pickletools
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, NamedTuple, cast

from forensics.errors import BadInputError

__all__ = ["StoredStorage", "StridedTensor", "load_restricted"]

#: torch storage class or dtype name -> dtype as safetensors spells it.
STORAGE_DTYPES = {
    "DoubleStorage": "F64",
    "FloatStorage": "F32",
    "HalfStorage": "F16",
    "BFloat16Storage": "BF16",
    "LongStorage": "I64",
    "IntStorage": "I32",
    "ShortStorage": "I16",
    "CharStorage": "I8",
    "ByteStorage": "U8",
    "BoolStorage": "BOOL",
    "UntypedStorage": "U8",
    "float8_e4m3fn": "F8_E4M3",
    "float8_e5m2": "F8_E5M2",
}

#: What a state dict is made of. Opcodes that call (REDUCE, BUILD, NEWOBJ) are harmless once every
#: name they can call is one of ours; those that bypass `find_class` (extension codes, INST and OBJ)
#: and out-of-band buffers are left out.
_OPCODES = """
    MARK STOP POP POP_MARK DUP INT BININT BININT1 BININT2 LONG LONG1 LONG4 FLOAT BINFLOAT NONE
    NEWTRUE NEWFALSE STRING BINSTRING SHORT_BINSTRING BINBYTES SHORT_BINBYTES UNICODE BINUNICODE
    SHORT_BINUNICODE EMPTY_LIST APPEND APPENDS LIST EMPTY_TUPLE TUPLE TUPLE1 TUPLE2 TUPLE3
    EMPTY_DICT DICT SETITEM SETITEMS GET BINGET LONG_BINGET PUT BINPUT LONG_BINPUT MEMOIZE GLOBAL
    STACK_GLOBAL REDUCE BUILD PROTO FRAME BINPERSID EMPTY_SET ADDITEMS
"""
ALLOWED_OPCODES = frozenset(_OPCODES.split())


# The three below are tuples on purpose: the opcode BUILD writes into `__dict__` or calls
# `__setstate__`, which a frozen dataclass has and a tuple has not.


class StoredStorage(NamedTuple):
    """A storage a pickle refers to: a run of numbers elsewhere in the file."""

    #: The key under which its bytes are filed.
    key: str
    #: The dtype of the numbers.
    dtype: str
    #: How many numbers (as the pickle claims).
    numel: int


class StridedTensor(NamedTuple):
    """A tensor as a view of a storage."""

    #: What it views.
    storage: StoredStorage
    #: First number, counted in numbers.
    offset: int
    #: Its shape.
    shape: tuple[int, ...]
    #: Numbers from one index to the next, per dimension.
    stride: tuple[int, ...]


class _StandIn(NamedTuple):
    """Takes the place of an allowed name; calling it builds a description."""

    name: str
    build: Callable[..., Any]

    def __call__(self, *args: Any) -> Any:
        return self.build(*args)


def _rebuild_tensor(storage: Any, offset: Any, shape: Any, stride: Any, *_: Any) -> StridedTensor:
    numbers = [offset, *shape, *stride]
    if not isinstance(storage, StoredStorage) or len(shape) != len(stride):
        raise pickle.UnpicklingError("a tensor without storage or with uneven strides")
    if not all(type(n) is int and n >= 0 for n in numbers):
        raise pickle.UnpicklingError("a tensor with impossible sizes")
    return StridedTensor(storage, offset, tuple(shape), tuple(stride))


def _rebuild_parameter(tensor: Any, *_: Any) -> Any:
    return tensor


class _Ignored:
    """Takes the place of a number that is not part of the weights; keeps nothing it is told."""

    __slots__ = ()

    def __init__(self, *_: Any) -> None: ...

    def __setstate__(self, state: Any) -> None: ...


_NUMPY_SCALARS = ("numpy.core.multiarray", "numpy._core.multiarray")
_ALLOWED_NAMES: dict[tuple[str, str], Any] = {
    ("collections", "OrderedDict"): collections.OrderedDict,
    ("torch._utils", "_rebuild_tensor_v2"): _StandIn("_rebuild_tensor_v2", _rebuild_tensor),
    ("torch._utils", "_rebuild_tensor"): _StandIn("_rebuild_tensor", _rebuild_tensor),
    ("torch._utils", "_rebuild_parameter"): _StandIn("_rebuild_parameter", _rebuild_parameter),
    ("torch", "Size"): _StandIn("Size", tuple),
    **{("torch", name): _StandIn(name, lambda *_: None) for name in STORAGE_DTYPES},
    # Trainers keep losses and step counts as numpy scalars beside the weights.
    **{(module, "scalar"): _StandIn("scalar", _Ignored) for module in _NUMPY_SCALARS},
    ("numpy", "dtype"): _StandIn("dtype", _Ignored),
    ("_codecs", "encode"): _StandIn("encode", _Ignored),
    ("torch.storage", "UntypedStorage"): _StandIn("UntypedStorage", lambda *_: None),
}


class _RestrictedUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _ALLOWED_NAMES:
            raise _Refused(f"{module}.{name}")
        return _ALLOWED_NAMES[module, name]

    def persistent_load(self, pid: Any) -> StoredStorage:
        match pid:
            case ("storage", _StandIn(name=name), str(key), _, int(numel), *_) if name in STORAGE_DTYPES:
                return StoredStorage(key, STORAGE_DTYPES[name], numel)
        raise pickle.UnpicklingError("an unknown kind of persistent reference")


class _Refused(pickle.UnpicklingError):
    """A name or opcode outside the allow-list."""


def load_restricted(where: Path, stream: IO[bytes] | mmap.mmap) -> Any:
    """Read one pickle from `stream` with the restricted reader.

    :param where: The file, for the message.
    :param stream: Positioned at the pickle; left after it.
    :return: Plain containers with `StridedTensor` in the place of tensors.
    :raises BadInputError: If the pickle asks for anything else, or is damaged.
    """
    try:
        start = stream.tell()
        _check_opcodes(stream)
        stream.seek(start)
        return _RestrictedUnpickler(cast(IO[bytes], stream)).load()
    except _Refused as error:
        found = f"its pickle asks for {error}, which no saved state dict needs; nothing of it was run"
        remedy = "do not load this file elsewhere; ask for safetensors"
        raise BadInputError(where, found, remedy) from error
    except Exception as error:
        # A damaged pickle fails in as many ways as there are opcodes (EOFError, IndexError,
        # TypeError, OverflowError, ...), all of them meaning the same.
        found = f"its pickle is damaged ({type(error).__name__}: {error})"
        raise BadInputError(where, found, "download the file again") from error


def _check_opcodes(stream: IO[bytes] | mmap.mmap) -> None:
    """Walk through the program without running it; refuse what a state dict does not use."""
    for count, (opcode, argument, _) in enumerate(pickletools.genops(cast(IO[bytes], stream))):
        if opcode.name not in ALLOWED_OPCODES:
            raise _Refused(f"the opcode {opcode.name}")
        # CPython allocates the memo up to the index it is given: 40 bytes could ask for 64 GB.
        if opcode.name in ("PUT", "BINPUT", "LONG_BINPUT") and int(argument or 0) > count:
            raise _Refused(f"memo entry {argument}")
        if opcode.name == "GLOBAL":
            module, _, name = str(argument).partition(" ")
            if (module, name) not in _ALLOWED_NAMES:
                raise _Refused(f"{module}.{name}")
