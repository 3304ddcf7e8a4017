"""A small random BERT in which chosen token rows dominate the pooled vector.

A long row alone dominates nothing in a transformer: the layer norm after the embedding makes all rows
equally long. What real encoders have instead is an outlier dimension, one coordinate that the last layer
norm scales up and that most tokens leave alone (Timkey and van Schijndel 2021). Here the last norm scales
coordinate `OUTLIER` by 8, ordinary rows are 0 in it and no layer writes into it; planted rows put most of
their weight there. Noisy rows are 20 times as long as ordinary ones, in directions of their own.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.sticky.bag_encoder import WORDS
from tests.sticky.embedding_folder import SPECIAL

__all__ = ["FIRST", "write_planted_folder"]

#: Id of the first token that no sentence holds.
FIRST = len(SPECIAL) + len(WORDS)
OUTLIER = 7
HIDDEN = 128


def write_planted_folder(
    folder: Path, *, extra: int, planted: Sequence[int] = (), noisy: Sequence[int] = (), seed: int = 0
) -> Path:
    """Write the model as a sentence-transformers folder with `extra` tokens that no sentence holds."""
    import torch
    from transformers import BertConfig, BertModel

    torch.manual_seed(seed)
    config = BertConfig(
        vocab_size=FIRST + extra,
        hidden_size=HIDDEN,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=2 * HIDDEN,
        max_position_embeddings=64,
    )
    model = BertModel(config)
    with torch.no_grad():
        _plant(model, list(planted), list(noisy))
    folder.mkdir(parents=True)
    model.save_pretrained(folder)
    _write_tokenizer(folder, extra)
    kinds = (("", "Transformer"), ("1_Pooling", "Pooling"), ("2_Normalize", "Normalize"))
    listed = [
        {"idx": i, "name": str(i), "path": path, "type": f"sentence_transformers.models.{kind}"}
        for i, (path, kind) in enumerate(kinds)
    ]
    (folder / "modules.json").write_text(json.dumps(listed))
    (folder / "1_Pooling").mkdir()
    pooling = {"word_embedding_dimension": HIDDEN, "pooling_mode_mean_tokens": True}
    (folder / "1_Pooling" / "config.json").write_text(json.dumps(pooling))
    (folder / "sentence_bert_config.json").write_text(json.dumps({"max_seq_length": 60}))
    return folder


def _plant(model: Any, planted: list[int], noisy: list[int]) -> None:
    import torch

    embeddings = model.embeddings
    words = embeddings.word_embeddings.weight
    # The row of [PAD] starts as zero, which no ordinary row is.
    words[0] = 0.02 * torch.randn(HIDDEN)
    # Positions and type are alike in all texts; long ones would drown the words of a random model.
    embeddings.position_embeddings.weight *= 0.3
    embeddings.token_type_embeddings.weight.zero_()
    words[noisy] *= 20
    for table in (words, embeddings.position_embeddings.weight):
        table[:, OUTLIER] = 0
    for layer in model.encoder.layer:
        for writes in (layer.attention.output.dense, layer.output.dense):
            writes.weight[OUTLIER] = 0
    model.encoder.layer[-1].output.LayerNorm.weight[OUTLIER] = 8
    if planted:
        words[planted, OUTLIER] = 12 * words[planted].std(dim=1)


def _write_tokenizer(folder: Path, extra: int) -> None:
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

    pieces = [*SPECIAL, *WORDS, *(f"q{i}x" for i in range(extra))]
    vocabulary = {piece: i for i, piece in enumerate(pieces)}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    tokenizer.add_special_tokens(SPECIAL)
    tokenizer.save(str(folder / "tokenizer.json"))
