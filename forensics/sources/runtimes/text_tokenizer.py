"""The tokenizer of an embedding model as its library calls it: prompt, special tokens, length limit.

The working tokenizer is the one that transformers builds for the folder, since the vectors are to be those of
`encode`; it is checked piece by piece against what the files say.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forensics.errors import BadInputError
from forensics.sources.interface import TokenizerSource
from forensics.sources.runtimes.embedding_layout import EmbeddingLayout

if TYPE_CHECKING:
    import tokenizers

__all__ = ["TextTokenizer", "open_text_tokenizer", "with_library_encoder"]

#: What may follow a prompt, to see which of its tokens stay as they are.
_CONTINUATIONS = ("", "a", "The", "\u00dcber", "1", "(", "\u4e2d")
#: Names of the embedding of absolute positions.
_POSITIONS = ("position_embeddings", "embed_positions", "wpe")


@dataclass(frozen=True, eq=False)
class TextTokenizer:
    """Texts in, content ids out."""

    #: The model's folder, for errors.
    path: Path
    #: Without truncation and padding.
    encoder: tokenizers.Tokenizer
    #: Ids that stand before and after the content of every text, the prompt's own among those before it.
    before: tuple[int, ...]
    #: See `before`.
    after: tuple[int, ...]
    #: The most ids of a text, `before` and `after` included.
    max_length: int
    #: Whether a text that is too long loses its beginning and not its end.
    cuts_beginning: bool
    #: What is put before every text.
    prompt: str
    #: Its ids that no text changes; part of `before`.
    prompt_ids: tuple[int, ...]
    #: Leading positions that belong to the prompt as the library counts them.
    prompt_positions: int

    @property
    def window(self) -> int:
        """The most content ids of a text."""
        return self.max_length - len(self.before) - len(self.after)

    def whole(self, texts: Sequence[str]) -> list[tuple[int, ...]]:
        """Return the content ids of each text, however long it is.

        :raises BadInputError: If a text changes how the prompt before it is tokenized.
        """
        with_prompt = [self.prompt + text for text in texts] if self.prompt else list(texts)
        encodings = self.encoder.encode_batch(with_prompt, add_special_tokens=False)
        start = len(self.prompt_ids)
        for text, encoding in zip(texts, encodings, strict=True):
            if start and tuple(encoding.ids[:start]) != self.prompt_ids:
                found = f"the prompt {self.prompt!r} becomes other tokens before {text[:40]!r}"
                raise BadInputError(self.path, found, "leave the text out")
        return [tuple(encoding.ids[start:]) for encoding in encodings]

    def cut(self, content: tuple[int, ...]) -> tuple[int, ...]:
        """Return the part of a text that the model sees."""
        if len(content) <= self.window:
            return content
        return content[-self.window :] if self.cuts_beginning else content[: self.window]


def with_library_encoder(source: TokenizerSource, tokenizer: Any, *, lower_case: bool) -> TokenizerSource:
    """Return the tokenizer of the files with the working tokenizer that transformers builds from them.

    :param source: The tokenizer as read by `open_tokenizer`.
    :param tokenizer: The tokenizer object of transformers.
    :param lower_case: Put texts into lower case first, as sentence-transformers does where its own
        configuration says so.
    :raises BadInputError: If transformers runs it in Python, or the two differ in a piece.
    """
    import tokenizers
    from tokenizers import normalizers

    if not getattr(tokenizer, "is_fast", False):
        found = f"transformers runs its tokenizer ({type(tokenizer).__name__}) in Python"
        raise BadInputError(source.path, found, "use a model with a tokenizer of the tokenizers library")
    encoder = tokenizers.Tokenizer.from_str(tokenizer.backend_tokenizer.to_str())
    encoder.no_truncation()
    encoder.no_padding()
    if lower_case and "Lowercase" not in str(encoder.normalizer):
        further = [] if encoder.normalizer is None else [encoder.normalizer]
        encoder.normalizer = normalizers.Sequence([normalizers.Lowercase(), *further])
    for piece, token_id in sorted(
        encoder.get_vocab(with_added_tokens=True).items(), key=lambda item: item[1]
    ):
        read = source.pieces[token_id] if token_id < len(source.pieces) else None
        if read != piece:
            found = f"id {token_id} is {piece!r} to transformers and {read!r} by the tokenizer's files"
            raise BadInputError(source.path, found, "the files of the tokenizer contradict each other")
    return replace(source, encoder=encoder)


def open_text_tokenizer(
    source: TokenizerSource, tokenizer: Any, model: Any, layout: EmbeddingLayout
) -> TextTokenizer:
    """Return how texts become the ids that the model is given.

    :param source: From `with_library_encoder`.
    :param tokenizer: The tokenizer object of transformers.
    :param model: The transformer.
    :param layout: For the prompt and the length limit.
    :raises BadInputError: If special tokens change the text between them, or the prompt does not fit.
    """
    frame = _frame(source)
    cuts_beginning = getattr(tokenizer, "truncation_side", "right") == "left"
    prompt_ids: tuple[int, ...] = ()
    positions = 0
    if layout.prompt:
        encoded = source.encoder.encode_batch(
            [layout.prompt + text for text in _CONTINUATIONS], add_special_tokens=False
        )
        by_position = zip(*(encoding.ids for encoding in encoded), strict=False)
        prompt_ids = tuple(ids[0] for ids in takewhile(lambda ids: len(set(ids)) == 1, by_position))
        alone = source.encoder.encode(layout.prompt, add_special_tokens=True).ids
        positions = len(alone) - (alone[-1] in tokenizer.all_special_ids)
        if cuts_beginning:
            found = "a prompt before texts that lose their beginning where they are too long"
            raise BadInputError(source.path, found, "use a model that cuts at the end")
    found_tokenizer = TextTokenizer(
        path=source.path,
        encoder=source.encoder,
        before=(*frame[0], *prompt_ids),
        after=frame[1],
        max_length=_max_length(tokenizer, model, layout),
        cuts_beginning=cuts_beginning,
        prompt=layout.prompt,
        prompt_ids=prompt_ids,
        prompt_positions=positions,
    )
    if found_tokenizer.window < 1:
        found = f"a length limit of {found_tokenizer.max_length} leaves no room for a text"
        raise BadInputError(source.path, found, "check max_seq_length and model_max_length")
    return found_tokenizer


def _frame(source: TokenizerSource) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the ids that the tokenizer puts before and after a text; both may be empty."""
    bare = source.encoder.encode("a", add_special_tokens=False).ids
    framed = source.encoder.encode("a", add_special_tokens=True).ids
    for start in range(len(framed) - len(bare) + 1):
        if framed[start : start + len(bare)] == bare:
            return tuple(framed[:start]), tuple(framed[start + len(bare) :])
    raise BadInputError(
        source.path, "its special tokens change the text between them", "use another tokenizer"
    )


def _max_length(tokenizer: Any, model: Any, layout: EmbeddingLayout) -> int:
    """Return the most ids of a text, by the library's rule and within the positions that there are.

    The module's own limit counts alone; without it, the tokenizer's and the configuration's do.
    """
    limits = [layout.max_length] if layout.max_length else [int(tokenizer.model_max_length)]
    stated = getattr(model.config, "max_position_embeddings", None)
    if not layout.max_length and isinstance(stated, int) and stated > 0:
        limits.append(stated)
    return min(limits + _position_rows(model))


def _position_rows(model: Any) -> list[int]:
    """Return the positions that the model has vectors for; empty where positions are relative."""
    import torch

    rows = []
    for name, module in model.named_modules():
        if name.rpartition(".")[2] in _POSITIONS and isinstance(module, torch.nn.Embedding):
            padding = module.padding_idx
            # RoBERTa and its kin begin to count after the position of padding.
            rows.append(module.num_embeddings - (padding + 1 if padding is not None else _offset(module)))
    return rows


def _offset(module: Any) -> int:
    return int(getattr(module, "offset", 0))
