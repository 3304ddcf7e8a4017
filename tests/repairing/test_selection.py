from __future__ import annotations

import numpy as np

from forensics.repairing.ban_list import ScannedTokens
from forensics.repairing.selection import select_rows

NONE = np.zeros(8, dtype=bool)


def mask(*rows: int) -> np.ndarray:
    found = NONE.copy()
    found[list(rows)] = True
    return found


SCANNED = ScannedTokens(
    strong=mask(1, 2, 3), verified=mask(1, 2, 3, 4), cleared=mask(4), reserved=mask(3, 5),
    past_vocabulary=mask(7), structural=mask(0, 3, 5),
)  # fmt: skip
GROUPS = np.array([0, -1, 0, -1, -1, -1, 0, -1])


def test_verified_unknown_tokens_and_their_identical_rows_go_and_special_ones_stay():
    found = select_rows(SCANNED, GROUPS)
    assert found.why == {1: "verified", 2: "verified", 6: "identical row"}
    assert found.left == (0,)


def test_more_is_replaced_when_asked_for_and_less_when_kept():
    found = select_rows(SCANNED, GROUPS, reserved=True, past_vocabulary=True, stay={1})
    assert found.why == {
        2: "verified", 3: "reserved", 5: "reserved", 6: "identical row", 7: "past vocabulary",
    }  # fmt: skip


def test_candidates_stand_in_where_nothing_was_verified():
    assert select_rows(SCANNED, GROUPS, mask(0, 1, 4)).why == {1: "candidate", 4: "candidate"}
