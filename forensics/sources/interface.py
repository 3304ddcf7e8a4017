"""What a source gives to the rest of the package: `Checkpoint`, `TokenizerSource` and `NextTokenModel`.

One file per format lives beside this one; each turns its format into one of these. Nothing here knows
anything about an analysis, and nothing that reads these needs to know a format.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from forensics.matrices import RowMatrix

if TYPE_CHECKING:
    import tokenizers

__all__ = [
    "AddedToken",
    "ChatAnswer",
    "ChatModel",
    "ChatQuestion",
    "Checkpoint",
    "Matching",
    "NextTokenModel",
    "NextTokens",
    "TensorInfo",
    "TokenizerModel",
    "TokenizerSource",
    "Tying",
]


@dataclass(frozen=True)
class TensorInfo:
    """What a checkpoint says about one tensor before any of its data is read."""

    #: Name as stored in the file.
    name: str
    #: Row-major shape; an embedding is `(V, d)` in every format (GGUF's reversed order is undone).
    shape: tuple[int, ...]
    #: The dtype as stored: `F32`, `F16`, `BF16`, `F8_E4M3`, `Q8_0`, ...
    dtype: str
    #: The file that holds the data.
    file: Path
    #: Bytes of data in the file.
    nbytes: int


class Tying(StrEnum):
    """How the unembedding relates to the embedding, as established from the stored data."""

    #: No unembedding is stored and the architecture has a head: the embedding serves as both.
    TIED = "tied"
    #: Both are stored and are the same bit for bit.
    TIED_STORED_TWICE = "tied_stored_twice"
    #: Both are stored and nearly all rows agree: a conversion artefact, treated as tied, said so.
    NEARLY_TIED = "nearly_tied"
    #: Two different matrices.
    UNTIED = "untied"
    #: The model has no unembedding at all (an encoder or an embedding model).
    NO_HEAD = "no_head"


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """A model's weights and configuration, opened but not loaded."""

    #: What the user named.
    path: Path
    #: A short name, fit for a folder under `results/`.
    name: str
    #: `safetensors`, `gguf` or `bin`.
    format: str
    #: The configuration as a flat mapping (Hugging Face `config.json`, or GGUF metadata without the
    #: tokenizer arrays); empty for a lone tensor file.
    config: Mapping[str, Any]
    #: Every tensor's name, shape and dtype.
    tensors: Mapping[str, TensorInfo]
    #: `E_in`, shape (V, d).
    embedding: RowMatrix
    #: The tensor name of `E_in`.
    embedding_name: str
    #: `E_out`, shape (V, d), where it is stored apart from `E_in`; None if tied by absence or no head.
    unembedding: RowMatrix | None
    #: The tensor name of `E_out`, or None.
    unembedding_name: str | None
    #: How the two relate.
    tying: Tying
    #: What established `tying`, in one sentence, with numbers.
    tying_evidence: str
    #: Bias of the head, shape (V,) float32, or None.
    head_bias: npt.NDArray[np.float32] | None
    #: The vocabulary size that the configuration claims, or None.
    config_vocab_size: int | None
    #: Whether the configuration and all weights of a causal language model seem to be present.
    is_causal_lm: bool
    #: Every file that was read or mapped, for the manifest.
    files: tuple[Path, ...]
    #: Remarks a reader of the report should see (several embeddings found, rows cut, ...).
    notes: tuple[str, ...] = ()


class TokenizerModel(StrEnum):
    """The algorithm that turns a pre-token into tokens."""

    #: Merges in a fixed order.
    BPE = "bpe"
    #: SentencePiece Unigram: the most probable segmentation.
    UNIGRAM = "unigram"
    #: Greedy longest match from the left, BERT's kind.
    WORDPIECE = "wordpiece"
    #: A table of whole words.
    WORDLEVEL = "wordlevel"
    #: Greedy longest match over bytes, RWKV's kind.
    LONGEST_MATCH = "longest_match"


@dataclass(frozen=True)
class Matching:
    """How an added token is looked for in a text."""

    #: Whitespace before and behind it is taken along.
    lstrip: bool = False
    rstrip: bool = False
    #: It is no part of a longer word.
    single_word: bool = False
    #: It is looked for in the normalized text and not in the text as it is written.
    normalized: bool = False


@dataclass(frozen=True)
class AddedToken:
    """A token matched before the algorithm sees the text."""

    #: Its token id.
    token_id: int
    #: Its text as it is matched.
    content: str
    #: Whether it is declared special (a control token that users' text should not produce).
    special: bool
    #: The file that declares it, e.g. `tokenizer.json` or `tokenizer.ggml.token_type`.
    declared_in: str
    #: How it is matched, where the file says; None where it does not.
    matching: Matching | None = None
    #: The id that the file declares, where the library gives the token another (`token_id`); else None.
    declared_id: int | None = None


@dataclass(frozen=True, eq=False)
class TokenizerSource:
    """A tokenizer read from its files, in one shape for all formats.

    Pieces and merges stand as stored (byte-level BPE in GPT-2's printable alphabet, SentencePiece
    with its U+2581); `forensics.vocabulary` turns them into bytes.
    """

    #: What the user named.
    path: Path
    #: A short name.
    name: str
    #: `tokenizer.json`, `gguf`, `sentencepiece`, `tiktoken`, `tekken`, `rwkv`, `vocab+merges` or `vocab.txt`.
    format: str
    #: The algorithm.
    model: TokenizerModel
    #: Whether pieces are written in the byte-to-character alphabet of GPT-2.
    byte_level: bool
    #: Whether characters outside the vocabulary are spelt with `<0xNN>` pieces.
    byte_fallback: bool
    #: Piece of every id from 0 to the largest, None where the files leave a gap.
    pieces: tuple[str | None, ...]
    #: Ordered merges, as pairs of pieces; empty where the algorithm has none.
    merges: tuple[tuple[str, str], ...]
    #: SentencePiece or Unigram scores by id, or None.
    scores: npt.NDArray[np.float32] | None
    #: Tokens matched before the algorithm runs.
    added_tokens: tuple[AddedToken, ...]
    #: Role (`bos`, `eos`, `pad`, `unk`, ...) -> {file: id as that file says}.
    special_roles: Mapping[str, Mapping[str, int]]
    #: Ids the files themselves mark as reserved, unused or control, with the words they use,
    #: e.g. `{6: "unused"}` (GGUF token types, SentencePiece piece types, `<unused6>` names).
    declared_unused: Mapping[int, str]
    #: The Jinja chat template, or None.
    chat_template: str | None
    #: The working tokenizer. Encode with `add_special_tokens=False`.
    encoder: tokenizers.Tokenizer
    #: Where the pre-tokenizer came from (`tokenizer.json`, `llama.cpp name 'smollm'`, ...), or None
    #: where the files do not say and splitting could not be established.
    pretokenizer_origin: str | None
    #: Every file that was read, for the manifest.
    files: tuple[Path, ...]
    #: Remarks a reader of the report should see.
    notes: tuple[str, ...] = field(default=())
    #: Whether the files say that texts begin with the `bos` token (`tokenizer.ggml.add_bos_token`,
    #: `add_bos_token` in tokenizer_config.json); None where only the encoder's post-processor can tell.
    adds_bos: bool | None = None


@dataclass(frozen=True, eq=False)
class NextTokens:
    """What a model would say behind some prompts; arrays of shape (n,) in the order of the prompts."""

    #: Natural log of the probability of the token that was asked about; NaN where the model has no answer.
    log_p: npt.NDArray[np.float32]
    #: The id the model would have said; -1 where it is not known.
    said: npt.NDArray[np.int64]
    #: Where `log_p` is no more than what the probability does not exceed; None: nowhere.
    is_bound: npt.NDArray[np.bool_] | None = None


class NextTokenModel(Protocol):
    """A model that is asked one thing only: how probable a token is behind a prompt.

    It is all that verification needs of a model that does not run in this process: behind a server's
    address, or in an engine of its own.
    """

    @property
    def positions(self) -> int | None:
        """Ids that a prompt may have at most; None where the model does not say."""

    def next_tokens(self, prompts: Sequence[Sequence[int]], tokens: Sequence[int]) -> NextTokens:
        """Return what the model would say behind each prompt.

        :param prompts: Ids of each prompt, everything that the model expects in front included.
        :param tokens: The token asked about, one for each prompt.
        :raises ForensicsError: If the model cannot be asked; the message says why.
        """


@dataclass(frozen=True)
class ChatQuestion:
    """A conversation in whose next answer a token is looked for."""

    #: `role` and `content` of each message, the user's question last.
    messages: tuple[Mapping[str, str], ...]
    #: What the answer begins with, a quotation mark; the token is looked for right behind it.
    opening: str
    #: The token.
    token: int


@dataclass(frozen=True)
class ChatAnswer:
    """What a model says in a conversation, and what its answer tells of the token asked about."""

    #: Natural log of the token's probability, or of what that does not exceed; NaN where nothing is known.
    log_p: float
    is_bound: bool
    #: The id said behind the opening; -1 where it is not known.
    said: int
    #: The answer, or its beginning.
    text: str


class ChatModel(Protocol):
    """A model that can only be talked to."""

    @property
    def gives_probabilities(self) -> bool:
        """Whether answers come with probabilities; without, a token is either said or nothing is known."""

    def carries(self, before: str, token: int, after: str) -> bool:
        """Whether a message can show the token between two texts."""

    def written(self, token: int) -> str | None:
        """Return the token's text, None where it has none that a message can hold."""

    def answers(self, questions: Sequence[ChatQuestion]) -> list[ChatAnswer]:
        """Return what the model answers.

        :raises ForensicsError: If it cannot be asked; the message says why.
        """
