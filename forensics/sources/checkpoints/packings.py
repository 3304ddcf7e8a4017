"""Token matrices that stand in the files under other names or packed: which are read, which are named.

What quantisers write for one weight is a family of tensors (`lm_head.weight_packed`,
`lm_head.weight_scale`, ...). A family whose layout is documented is offered as the matrix it is; any
other is *unread*, which is never the same as absent: a head that is not read must not make a model
"tied". Only the names under which embeddings and heads stand are looked at.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from forensics.errors import BadInputError
from forensics.matrices import RowMatrix
from forensics.sources.checkpoints.embedding_names import (
    EMBEDDING_NAMES,
    HEAD_NAMES,
    IN_BLOCK,
    OTHER_MODALITY,
    fits,
)
from forensics.sources.interface import TensorInfo
from forensics.sources.tensors.block_scales import scale_matrix
from forensics.sources.tensors.number_formats import NUMBER_FORMATS
from forensics.sources.tensors.packed_matrix import (
    E2M1,
    FlatBlocks,
    PackedMatrix,
    Unpack,
    affine_rows,
    table_rows,
)
from forensics.sources.tensors.tensor_file import TensorFile

__all__ = ["Family", "Packings", "find_packings"]

#: Signs of packings that are not read, as the end of a tensor's name below its module.
UNREAD_SIGNS = (
    ("EXL2", re.compile(r"q_weight")),
    ("EXL3", re.compile(r"trellis")),
    ("HQQ", re.compile(r"W_q")),
    ("Quanto", re.compile(r"weight\._data(\._data)?|weight\._packed|weight\.qbits")),
    ("torchao", re.compile(r"_?weight_(q|p)data|weight:.+|weight\.(int_data|tensor_impl).*|_data")),
    ("AQLM", re.compile(r"codes|codebooks")),
    ("VPTQ", re.compile(r"(res_)?(indices|centroids)(\.weight)?")),
    ("GPTQ or AWQ", re.compile(r"qweight")),
    ("compressed-tensors pack-quantized", re.compile(r"weight_packed|weight_shape")),
    ("MXFP4", re.compile(r"weight_blocks")),
    ("bitsandbytes 4-bit", re.compile(r"weight\.(absmax|quant_map|quant_state.*)")),
    ("integers with scales in a packing that the file does not name", re.compile(r"scales")),
    ("8-bit", re.compile(r"weight_scales|weight\.scale|absmax")),
)
#: Where bitsandbytes keeps shape and block size of a 4-bit matrix, as JSON; the kind of number follows.
_QUANT_STATE = "weight.quant_state.bitsandbytes__"
_MODULES = tuple(s.removesuffix(".weight") for s in (*EMBEDDING_NAMES, *(h.suffix for h in HEAD_NAMES)))
_LAST_WORDS = frozenset(module.rpartition(".")[2] for module in _MODULES)
_MAX_STATE_BYTES = 2**16


@dataclass(frozen=True, eq=False)
class Family:
    """The tensors of one module, by what follows its name."""

    #: Name of the module, e.g. `lm_head`.
    module: str
    #: `weight_scale` -> what the file says of it.
    members: Mapping[str, TensorInfo]
    #: Tensor name -> the file that holds it.
    owner: Mapping[str, TensorFile]

    def file(self, member: str) -> TensorFile:
        """Return the file that holds `member`."""
        return self.owner[f"{self.module}.{member}"]

    def matrix(self, member: str) -> RowMatrix:
        """Return `member` as a matrix of factors."""
        return self.file(member).matrix(f"{self.module}.{member}")

    def scalar(self, member: str) -> float:
        """Return the one number of `member`."""
        values = self.file(member).values(f"{self.module}.{member}").reshape(-1)
        if values.size != 1:
            raise self.refuse(f"{member} holds {values.size} numbers, one was expected")
        return float(values[0])

    def packed(
        self,
        member: str,
        shape: tuple[int, int],
        dtype: str,
        factors: tuple[RowMatrix, ...],
        unpack: Unpack,
        bits: int = 4,
    ) -> PackedMatrix:
        """Return `member` as a packed `(V, d)` matrix of numbers of `bits` bits.

        :raises BadInputError: If the factors do not fit the rows, or the bytes do not.
        """
        V, d = shape
        codes = self.file(member).as_bytes(f"{self.module}.{member}", V)
        if 8 * codes.row_bytes != bits * d:
            raise self.refuse(
                f"{member} has {codes.row_bytes} bytes a row, {d} numbers of {bits} bits need others"
            )
        for factor in factors:
            if factor.shape[0] != V or not d or d % factor.shape[1]:
                raise self.refuse(f"factors of shape {list(factor.shape)} do not fit a {V} x {d} matrix")
        return PackedMatrix(shape, dtype, codes, factors, unpack)

    def refuse(self, found: str) -> BadInputError:
        """Return the error for a family that contradicts itself."""
        where = next(iter(self.members.values())).file
        return BadInputError(f"{where} module {self.module}", found, "download the checkpoint again")


@dataclass(frozen=True)
class Packings:
    """What was found under the names of embeddings and heads besides plain weights."""

    #: Name of the weight -> its unpacked shape and the packing as its dtype.
    infos: dict[str, TensorInfo] = field(default_factory=dict)
    #: Name of the weight -> its rows, unpacked on demand.
    matrices: dict[str, RowMatrix] = field(default_factory=dict)
    #: Name of the weight -> the packing and the tensors it consists of.
    unread: dict[str, str] = field(default_factory=dict)


def find_packings(
    tensors: Mapping[str, TensorInfo], owner: Mapping[str, TensorFile], config: Mapping[str, Any]
) -> Packings:
    """Return the packed embeddings and heads among a checkpoint's tensors.

    :param tensors: All of them; GGUF files have none of these.
    :param owner: Tensor name -> file.
    :param config: The configuration, for MLX's group size.
    """
    found = Packings()
    for module, members in _families(tensors).items():
        family, name = Family(module, members, owner), f"{module}.weight"
        matrix = _read(family, config)
        if matrix is not None:
            info = next(iter(members.values()))
            found.infos[name] = TensorInfo(name, matrix.shape, matrix.dtype, info.file, info.nbytes)
            found.matrices[name] = matrix
        elif (what := _unread(members)) is not None:
            listed = ", ".join(
                f"{module}.{m} {list(i.shape)} {i.dtype}" for m, i in list(members.items())[:4]
            )
            found.unread[name] = f"{what} ({listed})"
    return found


def _families(tensors: Mapping[str, TensorInfo]) -> dict[str, dict[str, TensorInfo]]:
    """Return module -> what follows its name -> tensor, for modules named as embeddings and heads are."""
    families: dict[str, dict[str, TensorInfo]] = {}
    for name, info in tensors.items():
        if IN_BLOCK.search(name) or OTHER_MODALITY.search(name):
            continue
        module = name
        for _ in range(4):  # lm_head.weight.quant_state.bitsandbytes__nf4 is the deepest
            module, dot, _ = module.rpartition(".")
            if not dot:
                break
            if module.rpartition(".")[2] in _LAST_WORDS and any(fits(module, known) for known in _MODULES):
                families.setdefault(module, {})[name[len(module) + 1 :]] = info
                break
    return families


def _read(family: Family, config: Mapping[str, Any]) -> RowMatrix | None:
    """Return the matrix of a family whose packing is read, None for any other."""
    members = family.members
    weight, scale = members.get("weight"), members.get("weight_scale")
    if any(member.startswith(_QUANT_STATE) for member in members):
        return _bitsandbytes(family)
    if weight is not None and weight.dtype == "I8" and "SCB" in members:
        # The largest absolute value of each row, which 127 stands for (Dettmers et al. 2022, eq. 3).
        largest = family.file("SCB").values(f"{family.module}.SCB")
        where = f"{weight.file} tensor {family.module}.weight"
        return scale_matrix(where, family.matrix("weight"), np.asarray(largest / 127, dtype=np.float32), None)
    if weight is not None and weight.dtype == "U32" and "scales" in members:
        return _mlx(family, config)
    if "weight_packed" in members and scale is not None and members["weight_packed"].dtype == "U8":
        if scale.dtype == "F8_E4M3" and "weight_global_scale" in members:
            # compressed-tensors keeps the number that the scales were multiplied by.
            overall = float(1 / np.float64(family.scalar("weight_global_scale") or np.nan))
            return _e2m1(family, "weight_packed", "NVFP4", family.matrix("weight_scale"), overall)
        if scale.dtype in ("U8", "F8_E8M0"):
            return _e2m1(family, "weight_packed", "MXFP4", _powers_of_two(family, "weight_scale"))
    if weight is not None and weight.dtype == "U8" and "weight_scale_2" in members and scale is not None:
        overall = family.scalar("weight_scale_2")
        return _e2m1(family, "weight", "NVFP4", family.matrix("weight_scale"), overall)
    if "weight_blocks" in members and "weight_scales" in members:
        return _e2m1(family, "weight_blocks", "MXFP4", _powers_of_two(family, "weight_scales"))
    return None


def _e2m1(family: Family, member: str, dtype: str, scales: RowMatrix, overall: float = 1.0) -> RowMatrix:
    V = family.members[member].shape[0]
    d = 2 * math.prod(family.members[member].shape[1:])
    return family.packed(member, (V, d), dtype, (scales,), table_rows(E2M1, overall=overall))


def _powers_of_two(family: Family, member: str) -> RowMatrix:
    """Return factors stored as the exponents of E8M0."""
    V = family.members[member].shape[0]
    return family.file(member).as_bytes(f"{family.module}.{member}", V, "F8_E8M0")


def _mlx(family: Family, config: Mapping[str, Any]) -> RowMatrix | None:
    """Read a matrix of MLX, if the file says that it is MLX's: nothing else tells the packing."""
    if family.file("weight").metadata.get("format") != "mlx":
        return None
    stated = config.get("quantization", config.get("quantization_config"))
    stated = stated if isinstance(stated, dict) else {}
    own = stated.get(family.module)
    stated = {**stated, **own} if isinstance(own, dict) else stated
    group, mode = stated.get("group_size", 64), stated.get("mode", "affine")
    weight, scales = family.members["weight"], family.members["scales"]
    if type(group) is not int or group <= 0 or len(weight.shape) != 2 or len(scales.shape) != 2:
        return None
    V, d = weight.shape[0], scales.shape[1] * group
    if mode == "mxfp4" and scales.dtype == "U8":
        return family.packed("weight", (V, d), "MXFP4", (_powers_of_two(family, "scales"),), table_rows(E2M1))
    bits, rest = divmod(32 * weight.shape[1], d) if d else (0, 1)
    if mode != "affine" or "biases" not in family.members or rest or bits not in (2, 3, 4, 5, 6, 8):
        return None
    factors = (family.matrix("scales"), family.matrix("biases"))
    return family.packed("weight", (V, d), f"MLX {bits}-bit", factors, affine_rows(bits), bits)


def _bitsandbytes(family: Family) -> RowMatrix | None:
    """Read a matrix of bitsandbytes' NF4 or FP4, whose factors may be quantised again."""
    member = next(m for m in family.members if m.startswith(_QUANT_STATE))
    info = family.members[member]
    needed = {"weight", "weight.absmax", "weight.quant_map"}
    if info.nbytes > _MAX_STATE_BYTES or not needed <= family.members.keys():
        return None
    raw = family.file(member).as_bytes(f"{family.module}.{member}", 1).stored_rows(0, 1).tobytes()
    try:
        state = json.loads(raw)
        V, d = state["shape"]
        block, nested_block = state["blocksize"], state.get("nested_blocksize", 256)
        offset = float(state.get("nested_offset", 0.0))
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    if not all(type(n) is int and n > 0 for n in (V, d, block, nested_block)):
        return None

    def values(name: str) -> Any:
        return family.file(name).values(f"{family.module}.{name}").reshape(-1)

    absmax, table = values("weight.absmax"), values("weight.quant_map")
    if "weight.nested_absmax" in family.members and "weight.nested_quant_map" in family.members:
        nested, codes = values("weight.nested_absmax"), absmax.astype(int)
        if len(nested) * nested_block < len(codes) or codes.max(initial=0) >= 256:
            return None
        blocks = nested[np.arange(len(codes)) // nested_block]
        absmax = values("weight.nested_quant_map")[codes] * blocks + offset
    if table.size != 16 or absmax.size * block < V * d or d % 2:
        return None
    factors = FlatBlocks((V, d), absmax.astype("float32"), block)
    kind, unpack = member.rpartition("__")[2].upper(), table_rows(table, is_high_first=True)
    return family.packed("weight", (V, d), kind, (factors,), unpack)


def _unread(members: Mapping[str, TensorInfo]) -> str | None:
    """Return the name of the packing of a family that is not read, None for a plain weight or none."""
    for name, sign in UNREAD_SIGNS:
        if any(sign.fullmatch(member) for member in members):
            return name
    if "weight" in members:
        return None  # plain, or refused by name and dtype when its numbers are asked for
    integers = {dtype for dtype, number in NUMBER_FORMATS.items() if number.is_integer}
    packed = [info for info in members.values() if info.dtype in integers and len(info.shape) >= 2]
    return "an unknown packing" if packed else None
