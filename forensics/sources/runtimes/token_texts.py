"""Which tokens text can carry to a server, and which token a server means that answers in text.

A server that takes text encodes it itself. So a prompt of ids can be put there only where its text encodes
back to these very ids; part of a character, a token that its own text never gives, or a special token that a
server may take for mere text cannot be written down. What the tokenizer puts in front of every text (BOS) is
left to the server, which puts it there again.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import tokenizers

from forensics.sources.runtimes.server_listings import Listed

__all__ = ["TokenTexts"]


class TokenTexts:
    """The tokens of one tokenizer as texts, there and back."""

    def __init__(
        self,
        encoder: tokenizers.Tokenizer,
        token_bytes: Sequence[bytes | None],
        *,
        pieces: Sequence[str | None] = (),
        start: Sequence[int] = (),
        special: Collection[int] = (),
    ) -> None:
        """Keep what is known of the tokens.

        :param encoder: The working tokenizer.
        :param token_bytes: The bytes of every id.
        :param pieces: The entry of every id as stored: some servers write tokens so.
        :param start: Ids that begin every text, put there by the server.
        :param special: Tokens that are no text.
        """
        self._encoder = encoder
        self._bytes = token_bytes
        self._pieces = pieces
        self._start = tuple(start)
        self._special = frozenset(special)
        #: Bytes -> ids that have them.
        self._ids: dict[bytes, list[int]] = {}
        for token, data in enumerate(token_bytes):
            if data:
                self._ids.setdefault(data, []).append(token)

    def text(self, ids: Sequence[int]) -> str | None:
        """Return the text that encodes to `ids`, without what begins every text; None if none does."""
        inner = list(ids)
        if tuple(inner[: len(self._start)]) == self._start:
            inner = inner[len(self._start) :]
        text = self._joined(inner)
        if not text:
            return None
        # A tokenizer that puts a space before every text shows it in the bytes of the first token.
        for written in dict.fromkeys((text, text.removeprefix(" "))):
            if self._encode(written) == inner:
                return written
        return None

    def carries(self, ids: Sequence[int], token: int) -> bool:
        """Whether a server that takes text can be asked for `token` behind `ids`."""
        return self.written(token) is not None and self.text(ids) is not None

    def written(self, token: int) -> str | None:
        """Return the text of an ordinary token; None for special ones and for parts of characters."""
        return None if token in self._special else self._joined([token]) or None

    def carries_between(self, before: str, token: int, after: str) -> bool:
        """Whether encoding a text gives `token` between two others.

        :param before: What stands left of it, e.g. up to a quotation mark.
        :param after: What stands right of it.
        """
        written = self.written(token)
        if written is None:
            return False
        left = self._encode(before)
        ids = self._encode(before + written + after)
        rest = self._joined(ids[len(left) + 1 :])
        return ids[: len(left) + 1] == [*left, token] and rest == after

    def names(self, listed: Listed, token: int) -> bool:
        """Whether an entry of a server's list is `token`: by id, by bytes, or by its text or piece."""
        if listed.token_id is not None:
            return listed.token_id == token
        data = self._bytes[token] if 0 <= token < len(self._bytes) else None
        if listed.data is not None:
            return bool(data) and listed.data == data
        # What is part of a character is written as U+FFFD, whichever it is.
        if "\N{REPLACEMENT CHARACTER}" in listed.text:
            return False
        piece = self._pieces[token] if 0 <= token < len(self._pieces) else None
        return listed.text.encode("utf-8", "replace") == data or (bool(piece) and listed.text == piece)

    def id_of(self, listed: Listed) -> int:
        """Return the token that an entry of a server's list stands for; -1 where that is not certain."""
        if listed.token_id is not None:
            return listed.token_id if 0 <= listed.token_id < len(self._bytes) else -1
        data = listed.data
        if data is None:
            if "\N{REPLACEMENT CHARACTER}" in listed.text:
                return -1
            data = listed.text.encode("utf-8", "replace")
        found = self._ids.get(data, [])
        if len(found) == 1:
            return found[0]
        encoded = self._encode(listed.text) if found else []
        return encoded[0] if len(encoded) == 1 and encoded[0] in found else -1

    def _joined(self, ids: Sequence[int]) -> str | None:
        parts = [self._bytes[i] if 0 <= i < len(self._bytes) else None for i in ids]
        if any(part is None for part in parts):
            return None
        try:
            return b"".join(part or b"" for part in parts).decode("utf-8")
        except UnicodeDecodeError:
            return None

    def _encode(self, text: str) -> list[int]:
        return list(self._encoder.encode(text, add_special_tokens=False).ids)
