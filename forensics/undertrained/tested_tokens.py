"""Evidence as it comes in: every token tested once, block by block, resumable to the digit."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from forensics.progress import Stage
from forensics.schema.words import Role, Verdict
from forensics.undertrained.estimate import Estimate, clopper_pearson
from forensics.undertrained.token_evidence import TokenEvidence

__all__ = ["BLOCK", "TestedTokens", "Verify"]

#: Tokens that are verified together: enough to fill the batches of the long prompts' survivors.
BLOCK = 128

Verify = Callable[[Sequence[int]], Sequence[TokenEvidence]]


class TestedTokens:
    """Evidence so far; tests every token once, in fixed blocks.

    A block of which some results are missing is computed again as a whole, because the last digits of a
    probability depend on the company a token is tested in.
    """

    def __init__(
        self,
        verify: Verify,
        known: Mapping[int, TokenEvidence],
        on_result: Callable[[TokenEvidence], None] | None,
        stage: Stage,
    ) -> None:
        """Begin with nothing tested.

        :param verify: Puts tokens to the model; evidence comes back in order.
        :param known: Evidence from an interrupted run.
        :param on_result: Called once for every token not in `known`.
        :param stage: Told about tokens done and verified.
        """
        self.evidence: dict[int, TokenEvidence] = {}
        self.roles: dict[int, Role] = {}
        self._verify = verify
        self._known = known
        self._on_result = on_result
        self._stage = stage

    def add(self, role: Role, tokens: Sequence[int], verify: Verify | None = None) -> None:
        """Test those of `tokens` that have not been tested yet, with `verify` if it is another."""
        new = list(dict.fromkeys(int(t) for t in tokens if t not in self.evidence))
        for start in range(0, len(new), BLOCK):
            block = new[start : start + BLOCK]
            if not all(t in self._known for t in block):
                fresh = dict(zip(block, (verify or self._verify)(block), strict=True))
            else:
                fresh = {}
            for token in block:
                self.roles[token] = role
                self.evidence[token] = self._known[token] if token in self._known else fresh[token]
                if token not in self._known and self._on_result is not None:
                    self._on_result(fresh[token])
            self._stage.advance(len(block), verified=sum(map(self.is_verified, self.evidence)))

    def expect(self, tokens: Iterable[int]) -> None:
        """Tell the stage what is still to come."""
        self._stage.set_total(len(self.evidence) + len({t for t in tokens if t not in self.evidence}))

    def is_verified(self, token: int) -> bool:
        """Return whether the token was tested and verified; one that was not put to the prompts was not."""
        return token in self.evidence and self.evidence[token].verdict.is_verified

    def share(self, tokens: Sequence[int]) -> Estimate:
        """Return the verified share of tokens, those left out that could not be put to the model."""
        testable = [
            t
            for t in tokens
            if t not in self.evidence or self.evidence[t].verdict is not Verdict.NOT_ENCODABLE
        ]
        return clopper_pearson(sum(map(self.is_verified, testable)), len(testable))

    def passed(self, controls: Sequence[int]) -> float:
        """Return the share of controls the model produced, NaN without any."""
        verdicts = [self.evidence[t].verdict for t in controls]
        return sum(v is Verdict.REJECTED for v in verdicts) / len(verdicts) if verdicts else float("nan")
