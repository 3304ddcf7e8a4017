"""What the files beside a tokenizer say: roles of tokens, more added tokens, the chat template.

The same fact stands in up to five files of a Hugging Face folder. Each file's word is kept apart, so
that a report can show where they disagree.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeGuard

from forensics.files import parse_json, read_json, read_text
from forensics.sources.interface import AddedToken, Matching

__all__ = ["CLASS_DEFAULT", "ROLES", "Companions", "merge_added_tokens", "read_companions"]

#: The roles looked for, as `<role>_token` and `<role>_token_id`.
ROLES = ("bos", "eos", "unk", "sep", "pad", "cls", "mask")

#: Files that name a role's token by its text, and files that name it by its id.
_BY_TEXT = ("tokenizer_config.json", "special_tokens_map.json")
_BY_ID = ("config.json", "generation_config.json")
#: Who declares a token that only the code of the tokenizer's class names.
CLASS_DEFAULT = "tokenizer class"
_TEMPLATES = ("chat_template.jinja", "chat_template.json")


@dataclass(frozen=True)
class Companions:
    """The JSON files of a folder that speak about its tokenizer."""

    #: File name -> content; only files that exist.
    content: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    #: The chat template, or None.
    chat_template: str | None = None
    #: Every file read.
    files: tuple[Path, ...] = ()

    @property
    def tokenizer_config(self) -> Mapping[str, Any]:
        """The content of tokenizer_config.json, empty where there is none."""
        return self.content.get("tokenizer_config.json", {})

    @property
    def adds_bos(self) -> bool | None:
        """Whether tokenizer_config.json says that texts begin with the bos token, or None."""
        stated = self.tokenizer_config.get("add_bos_token")
        return stated if isinstance(stated, bool) else None

    def role_texts(self) -> Iterator[tuple[str, str, str]]:
        """Yield `(file, role, text of the token)` for every role named by text."""
        for file in _BY_TEXT:
            for role in ROLES:
                text = _content(self.content.get(file, {}).get(f"{role}_token"))
                if text is not None:
                    yield file, role, text

    def added_tokens(self) -> Iterator[AddedToken]:
        """Yield the added tokens that the files declare, by id, as transformers takes them.

        `added_tokens_decoder` in tokenizer_config.json says all; only where it is missing are
        added_tokens.json and special_tokens_map.json read for it.
        """
        decoder = self.tokenizer_config.get("added_tokens_decoder")
        if isinstance(decoder, Mapping):
            entries = {int(key): entry for key, entry in decoder.items() if _is_written_id(key)}
            for token_id in sorted(entries):
                token = _token(token_id, entries[token_id], False, "tokenizer_config.json")
                if token is not None:
                    yield token
            return
        special = {text for _, _, text in self.role_texts()} | {t.content for t in self.extra_tokens()}
        listed = self.content.get("added_tokens.json", {})
        for text, token_id in sorted(
            ((text, token_id) for text, token_id in listed.items() if _is_id(token_id)),
            key=lambda item: item[1],
        ):
            is_special = text in special
            matching = Matching(normalized=not is_special)
            yield AddedToken(token_id, text, is_special, "added_tokens.json", matching)

    def role_token(self, role: str, default: str | None) -> AddedToken | None:
        """Return the token of a role, its id unknown (-1), as the files name it, else `default`.

        :param role: `bos`, ..., or another key of tokenizer_config.json that ends in `_token`.
        :param default: The text that the tokenizer's class has for it, or None.
        """
        key = role if role.endswith("_token") else f"{role}_token"
        files = _BY_TEXT if "added_tokens_decoder" in self.tokenizer_config else tuple(reversed(_BY_TEXT))
        for file in files:
            if key in self.content.get(file, {}):
                token = _token(-1, self.content[file][key], True, file)
                if token is not None:
                    return token
                if file == _BY_TEXT[0]:  # null: the class has the role and the folder does not
                    return None
        return None if default is None else AddedToken(-1, default, True, CLASS_DEFAULT)

    def named_tokens(self) -> Iterator[str]:
        """Yield the keys `*_token` of tokenizer_config.json that are no common role."""
        for key, value in self.tokenizer_config.items():
            if key.endswith("_token") and key.removesuffix("_token") not in ROLES and _content(value):
                yield key

    def extra_tokens(self, listed_in_map: bool = True) -> list[AddedToken]:
        """Return the further special tokens that the files list, their ids unknown (-1).

        :param listed_in_map: Whether the list of special_tokens_map.json counts too.
        """
        config = self.tokenizer_config
        places: list[tuple[str, Any]] = [
            (_BY_TEXT[0], config.get("extra_special_tokens") or config.get("additional_special_tokens"))
        ]
        if listed_in_map and "added_tokens_decoder" not in config:
            listed = self.content.get(_BY_TEXT[1], {})
            places.append(
                (_BY_TEXT[1], listed.get("extra_special_tokens") or listed.get("additional_special_tokens"))
            )
        for file, given in places:
            values = list(given.values()) if isinstance(given, Mapping) else given
            if isinstance(values, list) and values:
                found = (_token(-1, entry, True, file) for entry in values)
                return [token for token in found if token is not None]
        return []

    def special_roles(self, ids: Mapping[str, int]) -> tuple[dict[str, dict[str, int]], list[str]]:
        """Return role -> {file: id}, and remarks on names that the vocabulary does not hold.

        A file that gives several ids (Llama 3's generation_config.json has three that end a text)
        appears once per id, as `generation_config.json`, `generation_config.json #2`, and so on.

        :param ids: Text -> token id, added tokens included.
        """
        roles: dict[str, dict[str, int]] = {}
        notes = []
        for file, role, text in self.role_texts():
            if text in ids:
                roles.setdefault(role, {})[file] = ids[text]
            else:
                notes.append(f"{file} names {text!r} as {role} token, which the vocabulary does not hold")
        for file in _BY_ID:
            config = self.content.get(file, {})
            inner = config.get("text_config")
            for role in ROLES:
                key = f"{role}_token_id"
                value = config.get(key)
                if value is None and isinstance(inner, Mapping):
                    value = inner.get(key)
                parts = value if isinstance(value, list) else [value]
                given: list[int] = [part for part in parts if _is_id(part)]
                for place, token_id in enumerate(given):
                    name = file if place == 0 else f"{file} #{place + 1}"
                    roles.setdefault(role, {})[name] = token_id
        return roles, notes


def read_companions(folder: Path) -> Companions:
    """Return what the files in `folder` say about its tokenizer.

    :raises BadInputError: If one of them exists and cannot be read.
    """
    names = [*_BY_TEXT, *_BY_ID, "added_tokens.json"]
    paths = [folder / name for name in names if (folder / name).is_file()]
    content = {path.name: read_json(path) for path in paths}
    template = _named_template(content.get("tokenizer_config.json", {}).get("chat_template"))
    for path in (folder / name for name in _TEMPLATES):
        if path.is_file():
            # A file of its own takes precedence over the entry, as in transformers.
            text = read_text(path)
            template = text if path.suffix == ".jinja" else _named_template(_template_entry(path, text))
            paths.append(path)
            break
    return Companions(content, template, tuple(paths))


def merge_added_tokens(*groups: Sequence[AddedToken]) -> tuple[AddedToken, ...]:
    """Return one entry per id and text, naming all files that declare it, special if one says so."""
    merged: dict[tuple[int, str], AddedToken] = {}
    for token in (token for group in groups for token in group):
        key = (token.token_id, token.content)
        known = merged.get(key)
        if known is None:
            merged[key] = token
            continue
        files = known.declared_in.split(", ")
        if token.declared_in not in files:
            files.append(token.declared_in)
        merged[key] = replace(
            known,
            special=known.special or token.special,
            declared_in=", ".join(files),
            matching=known.matching or token.matching,
            declared_id=token.declared_id if known.declared_id is None else known.declared_id,
        )
    return tuple(sorted(merged.values(), key=lambda token: token.token_id))


def _content(value: Any) -> str | None:
    """Return the text of a token given as a string or as an object with `content`."""
    if isinstance(value, Mapping):
        value = value.get("content")
    return value if isinstance(value, str) and value else None


def _token(token_id: int, entry: Any, special: bool, file: str) -> AddedToken | None:
    """Return an added token as a file has it: its text, or an object with `content` and flags."""
    text = _content(entry)
    if text is None:
        return None
    if not isinstance(entry, Mapping):
        return AddedToken(token_id, text, special, file, Matching(normalized=not special))
    special = special or entry.get("special") is True
    matching = Matching(
        lstrip=entry.get("lstrip") is True,
        rstrip=entry.get("rstrip") is True,
        single_word=entry.get("single_word") is True,
        # Left open it is the library's own default.
        normalized=entry.get("normalized", not special) is True,
    )
    return AddedToken(token_id, text, special, file, matching)


def _is_written_id(key: Any) -> bool:
    return str(key).isdecimal() and len(str(key)) < 10


def _is_id(value: Any) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _template_entry(path: Path, text: str) -> Any:
    value = parse_json(path, text)
    return value.get("chat_template") if isinstance(value, Mapping) else None


def _named_template(value: Any) -> str | None:
    """Return the template, of a list of named ones the default, else the first."""
    if isinstance(value, str):
        return value
    if not isinstance(value, list):
        return None
    named = {
        str(entry.get("name")): entry["template"]
        for entry in value
        if isinstance(entry, Mapping) and isinstance(entry.get("template"), str)
    }
    return named.get("default", next(iter(named.values()), None))
