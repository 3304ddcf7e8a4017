"""A folder without `tokenizer.json`, read as the tokenizer class that it names would read it.

The class is that of tokenizer_config.json, else of config.json, else the one that transformers takes for the
`model_type`. Its row in `class_recipes` turns the vocabulary file into what a `tokenizer.json` holds, from
which the `tokenizers` library builds the encoder; added tokens follow in transformers' order: those with ids
by their ids, then the roles, then further special ones.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from forensics.errors import BadInputError
from forensics.sources.interface import AddedToken, Matching, TokenizerModel, TokenizerSource
from forensics.sources.tokenizer_files.added_tokens import place_added_tokens
from forensics.sources.tokenizer_files.class_models import FORMATS, MODEL_READERS, ClassModel
from forensics.sources.tokenizer_files.class_names import CLASS_OF_MODEL_TYPE
from forensics.sources.tokenizer_files.class_parts import PARTS, Options
from forensics.sources.tokenizer_files.class_recipes import RECIPES, SPM, UNREAD_CLASSES, Recipe
from forensics.sources.tokenizer_files.encoder import PROBE, build, register_added_tokens
from forensics.sources.tokenizer_files.pieces import pieces_by_id
from forensics.sources.tokenizer_files.source import TokenizerParts, tokenizer_source
from forensics.sources.tokenizer_files.special_roles import (
    CLASS_DEFAULT,
    ROLES,
    Companions,
    merge_added_tokens,
)
from forensics.sources.tokenizer_files.vocab_lines import find_vocabulary

if TYPE_CHECKING:
    import tokenizers

__all__ = ["ClassFolder", "class_folder", "named_class"]


def named_class(companions: Companions) -> tuple[str, str] | None:
    """Return the tokenizer class of a folder, without `Fast`, and what settles it; None if nothing does."""
    for file in ("tokenizer_config.json", "config.json"):
        name = companions.content.get(file, {}).get("tokenizer_class")
        if isinstance(name, str) and name:
            return name.removesuffix("Fast"), file
    model_type = companions.content.get("config.json", {}).get("model_type")
    by_type = CLASS_OF_MODEL_TYPE.get(model_type) if isinstance(model_type, str) else None
    return None if by_type is None else (by_type, f"config.json, model type {model_type}")


@dataclass(frozen=True)
class ClassFolder:
    """A folder that a known class reads."""

    folder: Path
    class_name: str
    #: The file that names the class.
    named_in: str
    recipe: Recipe
    #: The vocabulary files, as many as the recipe needs.
    files: tuple[Path, ...]

    def read(self, name: str, companions: Companions) -> TokenizerSource:
        """Return the tokenizer.

        :param name: The short name to give the source.
        :param companions: The JSON files beside the vocabulary.
        :raises BadInputError: If a file is damaged or does not fit the class.
        """
        return _read(self, name, companions)


def class_folder(folder: Path, companions: Companions) -> ClassFolder | None:
    """Return how the class that `folder` names would read it; None where no known class has its files there.

    :raises BadInputError: If the class is one whose reading is code that is not repeated here.
    """
    named = named_class(companions)
    if named is None:
        return None
    class_name, named_in = named
    if class_name in UNREAD_CLASSES:
        found = f"{named_in} names {class_name}, which {UNREAD_CLASSES[class_name]}"
        raise BadInputError(folder, found, "save the tokenizer as tokenizer.json and give that")
    recipe = RECIPES.get(class_name)
    if recipe is None:
        return None
    files = []
    for pattern in recipe.files:
        path = find_vocabulary(folder, pattern)
        if path is None:
            return None
        files.append(path)
    return ClassFolder(folder, class_name, named_in, recipe, tuple(files))


def _read(found: ClassFolder, name: str, companions: Companions) -> TokenizerSource:
    recipe = found.recipe
    role_tokens = _role_tokens(recipe, companions)
    texts = {role: token.content for role, token in role_tokens.items()}
    options = Options(companions.tokenizer_config)
    model = MODEL_READERS[recipe.files](recipe, found.files, texts, options)
    options = replace(
        options,
        charsmap=model.charsmap,
        remove_extra_whitespaces=model.remove_extra_whitespaces,
        dummy_prefix=model.dummy_prefix,
    )
    parts = PARTS[recipe.parts](options)
    data: dict[str, object] = {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [],
        "normalizer": parts.normalizer(),
        "pre_tokenizer": parts.pre_tokenizer(),
        "post_processor": None,
        "decoder": None,
        "model": model.settings,
    }
    tokens = _ordered_tokens(recipe, companions, role_tokens, model)
    encoder = build(found.files[0], lambda: _encoder(data, tokens, recipe, texts))
    base = model.listed or pieces_by_id(found.files[0], model.vocab)
    pieces, added, notes = place_added_tokens(base, tokens, encoder)
    scores = None
    if model.scores is not None:
        scores = np.array([*model.scores, *[0.0] * (len(pieces) - len(model.scores))], dtype=np.float32)
    ids = {text: token_id for token_id, text in enumerate(pieces) if text is not None}
    control = [
        AddedToken(ids[piece], piece, True, found.files[0].name)
        for piece in model.control
        if piece in ids and ids[piece] not in {token.token_id for token in added}
    ]
    source_parts = TokenizerParts(
        format=FORMATS[recipe.files],
        model=TokenizerModel(str(model.settings["type"]).lower()),
        pieces=pieces,
        encoder=encoder,
        added_tokens=merge_added_tokens(added, control),
        pretokenizer_origin=f"class {found.class_name} ({found.named_in})",
        merges=model.merges,
        scores=scores,
        byte_level=recipe.byte_level,
        byte_fallback=model.settings.get("byte_fallback") is True,
        roles={
            role: {CLASS_DEFAULT: ids[token.content]}
            for role, token in role_tokens.items()
            if role in ROLES and token.declared_in == CLASS_DEFAULT and token.content in ids
        },
        declared_unused={ids[piece]: "unused" for piece in model.unused if piece in ids},
        notes=(*notes, *recipe.notes),
    )
    return tokenizer_source(found.folder, name, found.files, source_parts, companions)


def _role_tokens(recipe: Recipe, companions: Companions) -> dict[str, AddedToken]:
    """Return role -> its token, the common roles first, as transformers keeps them."""
    others = [role for role in recipe.roles if role not in ROLES]
    named = [key for key in companions.named_tokens() if key not in others]
    tokens = {}
    for role in (*ROLES, *others, *named):
        token = companions.role_token(role, recipe.roles.get(role))
        if token is None:
            continue
        if role == "mask" and recipe.greedy_mask and token.matching in (None, Matching()):
            token = replace(token, matching=Matching(lstrip=True, normalized=True))
        if recipe.greedy_roles and token.matching in (None, Matching()):
            token = replace(token, matching=Matching(lstrip=True, rstrip=True))
        tokens[role] = token
    return tokens


def _ordered_tokens(
    recipe: Recipe, companions: Companions, role_tokens: Mapping[str, AddedToken], model: ClassModel
) -> list[AddedToken]:
    """Return all added tokens in the order in which they get ids, each text once."""
    with_ids = list(companions.added_tokens())
    by_text = {token.content: token for token in with_ids}
    roles = [
        replace(by_text[token.content], special=True) if token.content in by_text else token
        for token in role_tokens.values()
    ]
    of_class = [AddedToken(-1, text, True, CLASS_DEFAULT) for text in recipe.extra]
    extra_ids = [AddedToken(-1, text, True, CLASS_DEFAULT) for text in _extra_ids(recipe, companions)]
    # A list in the files takes the place of the class's own and of what the SentencePiece model marks.
    extras = companions.extra_tokens(recipe.files != SPM) or [*model.marked, *of_class, *extra_ids]
    special = {token.content for token in roles}
    ordered: dict[str, AddedToken] = {}
    news = [token for token in extras if token.content not in by_text]
    for token in (*with_ids, *roles, *news):
        # Named again it keeps its place and is matched as it is named last.
        ordered[token.content] = replace(token, special=token.special or token.content in special)
    return list(ordered.values())


def _extra_ids(recipe: Recipe, companions: Companions) -> list[str]:
    """Return T5's sentinels, counted down as their ids count up."""
    if not recipe.extra_ids:
        return []
    count = Options(companions.tokenizer_config).number("extra_ids", recipe.extra_ids)
    return [f"<extra_id_{number}>" for number in reversed(range(count))]


def _encoder(
    data: Mapping[str, object], tokens: Sequence[AddedToken], recipe: Recipe, texts: Mapping[str, str]
) -> tokenizers.Tokenizer:
    """Return the working encoder, with the roles that the class puts around a text."""
    import tokenizers

    encoder = tokenizers.Tokenizer.from_str(json.dumps(data))
    register_added_tokens(
        encoder, [replace(token, matching=token.matching or Matching()) for token in tokens]
    )
    around = [texts.get(part, part) for part in recipe.template]
    ids = {text: encoder.token_to_id(text) for text in around if text != "$A"}
    if around and None not in ids.values():
        encoder.post_processor = tokenizers.processors.TemplateProcessing(
            single=around, pair=[*around, *(part.replace("$A", "$B") for part in around)],
            special_tokens=list(ids.items()),
        )  # fmt: skip
    encoder.encode(PROBE, add_special_tokens=False)
    return encoder
