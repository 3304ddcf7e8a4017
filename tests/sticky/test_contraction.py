import numpy as np
import pytest

from forensics.errors import BadInputError
from forensics.sticky.contraction import Baseline, TokenRegression, measure_token
from forensics.sticky.insertion import Mode, insert_ids
from forensics.sticky.probes import build_probe_set
from tests.sticky.bag_encoder import BagEncoder, english


@pytest.fixture(scope="module")
def encoder():
    return BagEncoder.random(20)


@pytest.fixture(scope="module")
def probe_set(encoder):
    return build_probe_set(encoder, english(50, 1), name="test", copies=4, probes=5, screen_probes=3, seed=0)


def test_lines_are_those_of_numpys_fit_cell_by_cell(encoder, probe_set):
    u, token = 0.1, 70
    found = measure_token(encoder, probe_set, Baseline.of(probe_set, probe_set.cells), token, u)
    for number, cell in enumerate(probe_set.cells):
        text = insert_ids(probe_set.contents[cell.sentence], token, cell.mode, cell.slots)
        after_all = encoder.embed([text])[0].astype(float) @ probe_set.references.T
        before_all = probe_set.references[cell.sentence] @ probe_set.references.T
        others = np.arange(50) != cell.sentence
        before, after = before_all[others], after_all[others]
        assert found.slope[number] == pytest.approx(np.polyfit(before, after, 1)[0])
        assert found.variance_ratio[number] == pytest.approx(after.var() / before.var())
        change = after - before
        for shift, side in ((found.shift_below, before < u), (found.shift_above, before >= u)):
            expected = change[side].mean() if side.any() else np.nan
            assert shift[number] == pytest.approx(expected, nan_ok=True)


def test_cells_stand_probe_after_probe_with_all_modes(probe_set):
    for start in range(0, len(probe_set.cells), 3):
        cells = probe_set.cells[start : start + 3]
        assert [cell.mode for cell in cells] == list(Mode)
        assert len({cell.sentence for cell in cells}) == 1


def test_screen_uses_other_probes_than_the_full_measurement(probe_set):
    full = {cell.sentence for cell in probe_set.cells}
    assert not full & {cell.sentence for cell in probe_set.screen_cells}


def test_lines_survive_the_journal_digit_for_digit(encoder, probe_set):
    found = measure_token(encoder, probe_set, Baseline.of(probe_set, probe_set.cells), 61, 2.0)
    again = TokenRegression.from_json(found.to_json())
    np.testing.assert_array_equal(again.slope, found.slope)
    assert np.isnan(again.shift_above).all()


@pytest.mark.parametrize(
    ("sentences", "said"),
    [
        (english(10, 0), "10 sentences"),
        ([*english(40, 0), " ".join(["river"] * 70)], "sentence 41"),
    ],
)
def test_sentences_that_cannot_be_used_are_refused(encoder, sentences, said):
    with pytest.raises(BadInputError, match=said):
        build_probe_set(encoder, sentences, name="mine.txt", copies=4, probes=5, screen_probes=3, seed=0)


def test_insertions_beyond_the_window_are_refused(encoder):
    with pytest.raises(BadInputError, match="exceeds the window"):
        build_probe_set(encoder, english(40, 0), name="x", copies=60, probes=5, screen_probes=3, seed=0)
