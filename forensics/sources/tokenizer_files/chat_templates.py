"""Every chat template that a model's files hold, each with the file and line where it stands.

Engines read different files: transformers `chat_template.jinja` before the entry of tokenizer_config.json,
llama.cpp the metadata of the GGUF file. `TokenizerSource` has the one that transformers would take; here are
all of them, the named ones too. The text is read and never rendered.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from forensics.files import parse_json, read_text
from forensics.sources.gguf.file import GGUF_MAGIC, read_gguf
from forensics.sources.interface import TokenizerSource

__all__ = ["ChatTemplate", "read_chat_templates"]

_JSON_FILES = ("tokenizer_config.json", "chat_template.json", "processor_config.json")
_GGUF_KEY = "tokenizer.chat_template"
_DEFAULT = "default"


@dataclass(frozen=True)
class ChatTemplate:
    """One template."""

    #: `default`, or the name under which its file lists it (`tool_use`, `rag`).
    name: str
    #: The text.
    text: str
    #: The file that holds it, and for GGUF the key.
    file: str
    #: The line of the file at which the template, or the JSON key that holds it, begins; 1 for binary files.
    line: int


def read_chat_templates(source: TokenizerSource) -> tuple[ChatTemplate, ...]:
    """Return the templates beside or inside the files of a tokenizer, in a fixed order.

    :param source: The tokenizer.
    :raises BadInputError: If a file that should hold one cannot be read.
    """
    place = source.path
    if place.is_file():
        with place.open("rb") as stream:
            if stream.read(len(GGUF_MAGIC)) == GGUF_MAGIC:
                return tuple(_of_gguf(place))
        return ()
    templates = [template for name in _JSON_FILES for template in _of_json(place / name)]
    jinja = [place / "chat_template.jinja", *sorted((place / "additional_chat_templates").glob("*.jinja"))]
    for path in jinja:
        if path.is_file():
            name = _DEFAULT if path.parent == place else path.stem
            templates.append(ChatTemplate(name, read_text(path), str(path.relative_to(place)), 1))
    for path in source.files:
        if path.suffix == ".gguf":
            templates += _of_gguf(path)
    return tuple(templates)


def _of_json(path: Path) -> Iterator[ChatTemplate]:
    if not path.is_file():
        return
    text = read_text(path)
    content = parse_json(path, text)
    entry = content.get("chat_template") if isinstance(content, Mapping) else None
    line = text.count("\n", 0, max(text.find('"chat_template"'), 0)) + 1
    if isinstance(entry, str):
        yield ChatTemplate(_DEFAULT, entry, path.name, line)
    for one in entry if isinstance(entry, list) else ():
        if isinstance(one, Mapping) and isinstance(one.get("template"), str):
            yield ChatTemplate(str(one.get("name", _DEFAULT)), one["template"], path.name, line)


def _of_gguf(path: Path) -> Iterator[ChatTemplate]:
    for key, value in read_gguf(path).metadata.items():
        if isinstance(value, str) and (key == _GGUF_KEY or key.startswith(f"{_GGUF_KEY}.")):
            name = key.removeprefix(_GGUF_KEY).lstrip(".") or _DEFAULT
            yield ChatTemplate(name, value, f"{path.name}: {key}", 1)
