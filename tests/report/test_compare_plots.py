"""Labels of the slope chart: in the order of their values, apart, and as near to them as can be."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from forensics.report.plots.compare import _apart


@given(st.lists(st.floats(0.1, 30), min_size=1, max_size=30), st.floats(0.001, 0.3))
def test_labels_keep_order_and_distance(values, gap):
    places = np.log(_apart(values, gap))
    order = np.argsort(values, kind="stable")
    assert (np.diff(places[order]) >= gap - 1e-9).all()


def test_labels_that_have_room_stand_where_they_belong():
    np.testing.assert_allclose(_apart([8.0, 1.0, 2.0], 0.1), [8, 1, 2])
    np.testing.assert_allclose(np.log(_apart([1.0, 1.0], 0.2)), [-0.1, 0.1], atol=1e-12)
