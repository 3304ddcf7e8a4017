"""What the files beside a tokenizer say: roles of tokens, more added tokens, the chat template.

The same fact stands in up to five files of a Hugging Face folder. Each file's word is kept apart, so
that a report can show where they disagree.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeGuard

from forensics.files import parse_json, read_json, read_text
from forensics.sources.interface import AddedToken

__all__ = ["ROLES", "Companions", "merge_added_tokens", "read_companions"]

#: The roles looked for, as `<role>_token` and `<role>_token_id`.
ROLES = ("bos", "eos", "unk", "sep", "pad", "cls", "mask")

#: Files that name a role's token by its text, and files that name it by its id.
_BY_TEXT = ("tokenizer_config.json", "special_tokens_map.json")
_BY_ID = ("config.json", "generation_config.json")
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
        """Yield the added tokens that tokenizer_config.json and added_tokens.json declare."""
        decoder = self.tokenizer_config.get("added_tokens_decoder")
        for token_id, entry in decoder.items() if isinstance(decoder, Mapping) else ():
            text = _content(entry)
            if text is not None and str(token_id).isdecimal() and len(str(token_id)) < 10:
                special = isinstance(entry, Mapping) and entry.get("special") is True
                yield AddedToken(int(token_id), text, special, "tokenizer_config.json")
        for text, token_id in self.content.get("added_tokens.json", {}).items():
            if _is_id(token_id):
                yield AddedToken(token_id, text, False, "added_tokens.json")

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
        merged[key] = AddedToken(*key, known.special or token.special, ", ".join(files))
    return tuple(sorted(merged.values(), key=lambda token: token.token_id))


def _content(value: Any) -> str | None:
    """Return the text of a token given as a string or as an object with `content`."""
    if isinstance(value, Mapping):
        value = value.get("content")
    return value if isinstance(value, str) and value else None


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
