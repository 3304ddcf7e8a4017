"""Verification by prompting, fast: the verdicts of `plain_verification` at a fraction of its cost.

What is saved, and why the verdicts stay the same:

- *Probes first.* Short prompts that are read for many tokens in one pass (`forensics.undertrained.probes`)
  let most tokens go before a long one is put. They count as prompts, in both procedures.
- *Leaving early, exactly.* `max_prob` is a maximum, so it only grows as prompts are added. A token that
  reaches 0.1 anywhere is rejected whatever the other prompts say; the cheapest prompt is put first.
- *Leaving early, by measurement.* Long prompts offer a look half way (`Prompt.looks`): a token that
  already has a probability above `LOOK_LEAVES_ABOVE` there has at least 0.1 at the end. This is no
  theorem; what it rests on stands beside the constant.
- *Settled early, by measurement.* A token whose probability has stayed below `SETTLES_BELOW` in everything
  up to a place inside a long prompt (`Prompt.settles_at`) is not read to that prompt's end. Where another
  prompt shows more of it, the cut ones are put again in full.
- *Some for all, by measurement.* Of tokens with nearly the same rows, none of which the probes and the first
  prompt show, some are read to the end for the others, see `forensics.undertrained.kin`.
- *Nothing twice, nothing unread.* See `forensics.undertrained.prompt_run`.

A token that is neither rejected nor settled nor spoken for has gone through every prompt and step in full.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

from forensics.errors import BadInputError
from forensics.schema.words import INCONCLUSIVE_BELOW, STRONG_BELOW
from forensics.undertrained.kin import KinGroup, Rows
from forensics.undertrained.packed_probe import PackedProbe
from forensics.undertrained.plain_verification import STEPS
from forensics.undertrained.probe_cascade import ProbeCascade
from forensics.undertrained.probes_first import Found, ProbesFirst, is_rejected
from forensics.undertrained.prompt_run import PromptRun, PromptRunner
from forensics.undertrained.prompts import Prompt
from forensics.undertrained.token_evidence import PromptEvidence, TokenEvidence

__all__ = ["LOOK_LEAVES_ABOVE", "QUIET_BELOW", "SETTLES_BELOW", "Verifier"]

#: A token with more than this at a look inside a prompt is rejected without the rest.
LOOK_LEAVES_ABOVE = 0.5

#: A token that stays below this in all probes, prompts and looks is settled: the rest of a long prompt would
#: have to lift it a hundredfold to change the word for it, and a thousandfold to acquit it. Of 120 tokens of
#: SmolLM2-135M that the probes had left open, the largest growth from the copy after five shots to the end
#: was 31-fold (1,395-fold from the second shot, so that is too early), and none was below 7e-5 after two
#: shots. 40 tokens of Qwen2.5-Coder-0.5B's list were below 6e-6 after five shots and ended below 6e-6. The
#: verdicts of settled tokens have not been compared on a large sample; `benchmarks/verification.py` prints
#: those that differ.
SETTLES_BELOW = 1e-5

#: A token that stays below this in all probes and the first prompt may be spoken for by its kin.
QUIET_BELOW = 1e-4

#: Positions (rows times new ids) in one forward pass. On one thread of a CPU the cost per row was the same
#: within a tenth for 2 to 32 rows of the n-shot prompt (SmolLM2-135M, Gemma 3 270M); the short stretches
#: that most rows end with want some hundred positions. An accelerator wants more.
CPU_POSITIONS, DEVICE_POSITIONS = 1024, 16384


class Verifier(ProbesFirst):
    """Puts tokens to a model and says which of them it can produce.

    >>> verifier = Verifier(model, prompts, decode)        # doctest: +SKIP
    >>> verifier.verify([1021, 49151])[0].verdict          # doctest: +SKIP
    <Verdict.REJECTED: 'rejected'>
    """

    def __init__(
        self,
        model: Any,
        prompts: Sequence[Prompt],
        decode: Callable[[Sequence[int]], str],
        *,
        probes: Sequence[Prompt] = (),
        batch_size: int | None = None,
        steps: int = STEPS,
        settles_below: float = SETTLES_BELOW,
        quiet_below: float = QUIET_BELOW,
    ) -> None:
        """Find out what the model offers.

        :param model: A causal language model with transformers' forward interface, in evaluation mode.
        :param prompts: The prompts, cheapest first; all of them count towards `max_prob`.
        :param decode: Ids to text, for the evidence.
        :param probes: Short prompts that come first, see `build_probes`; they count towards `max_prob` too.
        :param batch_size: Tokens per forward pass; None fits the prompt's length and the device.
        :param steps: How many tokens are generated per prompt.
        :param settles_below: See `SETTLES_BELOW`; 0 reads every prompt to its end.
        :param quiet_below: See `QUIET_BELOW`; 0 lets no token speak for another.
        :raises BadInputError: If there is no prompt, or `batch_size` is not positive.
        """
        if not prompts:
            raise BadInputError("prompts", "none given", "pass at least one prompt")
        if batch_size is not None and batch_size < 1:
            raise BadInputError("batch_size", f"found {batch_size}", "give a positive number")
        self._runner = PromptRunner(model, prompts[0])
        super().__init__(
            prompts, ProbeCascade([PackedProbe(model, probe, self._runner) for probe in probes]), decode
        )
        self.probes = tuple(probes)
        self.model = model
        self._batch_size = batch_size
        self._steps = steps
        self._settles_below = settles_below
        self._quiet_below = quiet_below
        #: False where every prompt is computed from its beginning, see `PromptRunner`.
        self.reuses_prefix = self._runner.reuses_prefix

    def verify(self, token_ids: Sequence[int]) -> list[TokenEvidence]:
        """See `ProbesFirst.verify`; of kin, some are read to the end for the others."""
        found = self._probed(token_ids, leave_at=INCONCLUSIVE_BELOW)
        self._put_one(self.prompts[0], 1, found, found, self._settles_below)
        groups = self._groups(found)
        readers = {token_id for group in groups for token_id in group.readers}
        self._put_rest(readers, found, settles_below=0.0)
        spoken_for = {t for group in groups if self._agree(group, found) for t in group.others}
        self._put_rest(found.keys() - readers - spoken_for, found, self._settles_below)
        leaders = {t: group.readers[0] for group in groups for t in (*group.readers, *group.others)}
        concluded = [self._conclude(token_id, found) for token_id in token_ids]
        return [replace(e, kin=leaders.get(e.token_id)) for e in concluded]

    def _put_prompts(self, found: Found) -> None:
        self._put_one(self.prompts[0], 1, found, found, self._settles_below)
        self._put_rest(found, found, self._settles_below)

    @cached_property
    def _matrices(self) -> Rows:
        return Rows(self.model)

    def _groups(self, found: Found) -> list[KinGroup]:
        """Return the groups of kin of which some may speak for the others; none without probes to rely on."""
        if not self.probes:
            return []
        quiet = [token_id for token_id, shown in found.items() if _largest(shown) < self._quiet_below]
        return self._matrices.kin([t for t in quiet if not _is_broken(found[t])])

    def _agree(self, group: KinGroup, found: Found) -> bool:
        """Return whether no reader of a group, each read to the end, showed itself."""
        return all(_largest(found[t]) < STRONG_BELOW and not _is_broken(found[t]) for t in group.readers)

    def _put_rest(self, tokens: Iterable[int], found: Found, settles_below: float) -> None:
        """Put the prompts to those of `tokens` that one step of the first has left in doubt."""
        wanted = set(tokens)
        ordered = [token_id for token_id in found if token_id in wanted]
        # The first prompt comes again, in full and for few.
        for prompt in (*self.prompts[1:], self.prompts[0]):
            self._put_one(prompt, self._steps, ordered, found, settles_below)
        # Who was settled by what was known half way, and is not by all that is known now, is read to the end.
        for prompt in self.prompts:
            cut = [t for t in ordered if self._was_cut_wrongly(prompt, found[t])]
            self._put_one(prompt, self._steps, cut, found, settles_below=0.0)

    def _put_one(
        self, prompt: Prompt, steps: int, tokens: Iterable[int], found: Found, settles_below: float
    ) -> None:
        """Put one prompt to those of `tokens` that are not rejected yet."""
        in_doubt = [token_id for token_id in tokens if not is_rejected(found[token_id])]
        for batch in self._batches(in_doubt, prompt):
            self._put(prompt, steps, batch, found, settles_below)

    def _was_cut_wrongly(self, prompt: Prompt, shown: dict[str, PromptEvidence]) -> bool:
        return (
            prompt.settles_at is not None
            and prompt.name in shown
            and not shown[prompt.name].complete
            and self._settles_below <= _largest(shown) < INCONCLUSIVE_BELOW
        )

    def _rows(self) -> int:
        """Return how many tokens the model can both read and say."""
        matrices = (self.model.get_input_embeddings(), self.model.get_output_embeddings())
        return min(int(m.weight.shape[0]) for m in matrices if m is not None)

    def _batches(self, token_ids: Sequence[int], prompt: Prompt) -> Iterator[Sequence[int]]:
        size = self._batch_size
        if size is None:
            positions = CPU_POSITIONS if self.model.device.type == "cpu" else DEVICE_POSITIONS
            # Counted up to the first look, because hardly a row goes further.
            size = max(1, positions // (self._stops(prompt)[0] - prompt.shared_length))
        for start in range(0, len(token_ids), size):
            yield token_ids[start : start + size]

    @staticmethod
    def _stops(prompt: Prompt) -> tuple[int, ...]:
        """Return where reading pauses: at the looks, where tokens may be settled, and at the end."""
        inside = {*prompt.looks, *(() if prompt.settles_at is None else (prompt.settles_at,))}
        return (*sorted(inside), len(prompt.ids))

    def _put(
        self, prompt: Prompt, steps: int, batch: Sequence[int], found: Found, settles_below: float
    ) -> None:
        """Put one prompt to a batch of tokens; whoever shows itself, or nothing, leaves at the next stop."""
        import torch

        with torch.inference_mode():
            run = self._runner.start(prompt, torch.tensor(batch, device=self.model.device))
            so_far = torch.tensor([_largest(found[t]) for t in batch], device=self.model.device)
            for stop in self._stops(prompt)[:-1]:
                run.read_to(stop)
                p = run.probabilities[-1]
                so_far = torch.maximum(so_far, p)  # NaN stays: a broken row is not settled
                leaves = (
                    p > LOOK_LEAVES_ABOVE if stop in prompt.looks else torch.zeros_like(p, dtype=torch.bool)
                )
                if stop == prompt.settles_at:
                    leaves = leaves | (so_far < settles_below)
                self._dismiss(run, leaves, prompt, found)
                so_far = so_far[~leaves]
                if not len(run.tokens):
                    return
                # What stands inside the prompt is not one of the generated steps.
                run.probabilities, run.said = [], []
            run.read_to(len(prompt.ids))
            for _ in range(steps - 1):
                self._dismiss(run, run.probabilities[-1] >= INCONCLUSIVE_BELOW, prompt, found)
                if not len(run.tokens):
                    return
                run.say()
            complete = steps == self._steps
            self._note(run, torch.ones_like(run.tokens, dtype=torch.bool), prompt, found, complete)

    def _dismiss(self, run: PromptRun, rows: Any, prompt: Prompt, found: Found) -> None:
        self._note(run, rows, prompt, found, complete=False)
        run.keep(~rows)

    def _note(self, run: PromptRun, rows: Any, prompt: Prompt, found: Found, complete: bool) -> None:
        """Write what the run has seen of `rows`, a boolean tensor, into `found`."""
        tokens = run.tokens[rows].tolist()
        probabilities = zip(*(p[rows].tolist() for p in run.probabilities), strict=True)
        said = zip(*(s[rows].tolist() for s in run.said), strict=True)
        for token_id, values, ids in zip(tokens, probabilities, said, strict=True):
            text = self._decode(list(ids))
            found[token_id][prompt.name] = PromptEvidence(prompt.name, values, ids, text, complete)


def _largest(shown: dict[str, PromptEvidence]) -> float:
    """Return the largest probability seen, 0 where nothing was; NaN counts as nothing."""
    seen = (p for evidence in shown.values() for p in evidence.probabilities)
    return max((p for p in seen if not math.isnan(p)), default=0.0)


def _is_broken(shown: dict[str, PromptEvidence]) -> bool:
    return any(math.isnan(p) for evidence in shown.values() for p in evidence.probabilities)
