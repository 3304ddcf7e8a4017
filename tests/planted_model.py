"""A small causal language model whose never-trained tokens are known by construction.

Real text (the language reference and some modules that ship with every Python, PSF licence) is
encoded with a byte-level BPE tokenizer trained on it. Some tokens are then *planted*: beyond a stated
number of occurrences, each is replaced in the training ids by the two parts its merge joined, as if
the model's text were another than the tokenizer's. A token planted at 0 is in the vocabulary and never
in the text, which is what the literature calls under-trained.
"""

from __future__ import annotations

import json
import os
import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

#: Occurrences left of the planted tokens.
LEVELS = (0, 1, 3, 10, 30)
#: Planted tokens per level.
PER_LEVEL = 20


@dataclass(frozen=True, eq=False)
class PlantedModel:
    """A trained model and the truth about its tokens."""

    #: The `transformers` model.
    model: Any
    #: The `tokenizers.Tokenizer`.
    tokenizer: Any
    #: Planted token id -> occurrences in the training ids.
    planted: dict[int, int]
    #: Occurrences of every id in the training ids, shape (V,).
    counts: npt.NDArray[np.int64]
    #: Mean training loss over the last 50 steps, in nats.
    loss: float

    def never_seen(self) -> set[int]:
        """Ids planted at level 0."""
        return {token for token, count in self.planted.items() if count == 0}

    def save(self, folder: Path) -> Path:
        """Write the model as a Hugging Face folder."""
        self.model.save_pretrained(folder)
        self.tokenizer.save(str(folder / "tokenizer.json"))
        return folder


def real_text() -> list[str]:
    """Return about 800 kB of English documentation and Python source."""
    import pydoc_data.topics

    library = Path(os.__file__).parent
    names = ("argparse", "inspect", "typing", "zipfile")
    files = (library / f"{name}.py" for name in names)
    return [*pydoc_data.topics.topics.values(), *(f.read_text("utf-8") for f in files if f.exists())]


def train_tokenizer(texts: list[str], size: int) -> Any:
    """Train a byte-level BPE tokenizer with `size` entries, all 256 bytes among them."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        special_tokens=["<|endoftext|>"],
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def plant(
    ids: list[int], merges: dict[int, tuple[int, int]], rng: random.Random
) -> tuple[list[int], dict[int, int]]:
    """Replace planted tokens by their parts beyond their level.

    :param ids: Training ids before planting.
    :param merges: Token id -> the ids its merge joined.
    :param rng: Chooses the planted tokens among those that occur 60 to 600 times and are part of no
        other token, so that replacing one cannot bring another back.
    :return: The training ids, and planted id -> occurrences left.
    """
    counts = np.bincount(ids, minlength=max(merges) + 1)
    used_as_part = {part for parts in merges.values() for part in parts}
    pool = [t for t in sorted(merges) if 60 <= counts[t] <= 600 and t not in used_as_part]
    chosen = rng.sample(pool, len(LEVELS) * PER_LEVEL)
    planted = {token: LEVELS[i % len(LEVELS)] for i, token in enumerate(chosen)}
    # Which occurrences stay is drawn over the whole text, so that levels differ in number, not in place.
    places: dict[int, list[int]] = {token: [] for token in planted}
    for position, token in enumerate(ids):
        if token in places:
            places[token].append(position)
    kept = {p for token, where in places.items() for p in rng.sample(where, planted[token])}
    out: list[int] = []
    for position, token in enumerate(ids):
        if token in planted and position not in kept:
            out.extend(merges[token])
        else:
            out.append(token)
    return out, planted


def train_planted_model(
    *,
    tied: bool,
    weight_decay: float,
    seed: int = 0,
    steps: int = 600,
    vocabulary: int = 1536,
    width: int = 64,
    threads: int = 1,
) -> PlantedModel:
    """Train the model; 600 steps take about half a minute.

    :param tied: Whether `E_in` and `E_out` are one matrix.
    :param weight_decay: AdamW's weight decay, on all parameters, embeddings included.
    :param seed: Seed of planting, initialisation and batches.
    :param steps: Training steps of 16 windows of 64 tokens.
    :param vocabulary: Entries of the tokenizer.
    :param width: Hidden size.
    :param threads: Threads for torch while training; restored afterwards.
    """
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    texts = real_text()
    tokenizer = train_tokenizer(texts, vocabulary)
    vocab = tokenizer.get_vocab()
    merges: dict[int, tuple[int, int]] = {}
    for left, right in json.loads(tokenizer.to_str())["model"]["merges"]:
        merges[vocab[left + right]] = (vocab[left], vocab[right])
    ids = [0]
    for encoding in tokenizer.encode_batch(texts):
        ids += [*encoding.ids, 0]
    ids, planted = plant(ids, merges, random.Random(seed))
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=len(vocab),
        hidden_size=width,
        intermediate_size=3 * width,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=4,
        max_position_embeddings=512,
        tie_word_embeddings=tied,
        bos_token_id=0,
        eos_token_id=0,
    )
    model = LlamaForCausalLM(config)
    data = torch.tensor(ids)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3, weight_decay=weight_decay, betas=(0.9, 0.95))
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=3e-3, total_steps=steps, pct_start=0.1)
    length, batch = 64, 16
    # Windows tile the text in shuffled order, epoch after epoch: every occurrence is seen equally often.
    generator = torch.Generator().manual_seed(seed)
    windows = len(data) // length
    order = torch.cat(
        [torch.randperm(windows, generator=generator) for _ in range(1 + steps * batch // windows)]
    )
    losses: list[float] = []
    model.train()
    for step in range(steps):
        rows = order[step * batch : (step + 1) * batch]
        inputs = torch.stack([data[r * length : (r + 1) * length] for r in rows.tolist()])
        loss = model(input_ids=inputs, labels=inputs).loss
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        losses.append(float(loss.detach()))
    model.eval()
    torch.set_num_threads(before)
    return PlantedModel(
        model=model,
        tokenizer=tokenizer,
        planted=planted,
        counts=np.bincount(ids, minlength=len(vocab)),
        loss=float(np.mean(losses[-50:])),
    )
