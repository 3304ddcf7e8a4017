"""What every model is asked for with."""

from types import SimpleNamespace

import pytest

from forensics.errors import BadInputError
from forensics.sources.runtimes.transformers_runtime import (
    check_dtype,
    choose_device,
    loading_options,
    reason_of,
)
from tests.extras import need


@pytest.mark.parametrize(
    ("version", "keyword"), [("4.55.4", "torch_dtype"), ("4.56.0", "dtype"), ("5.2", "dtype")]
)
def test_nothing_is_downloaded_or_executed_by_default(version, keyword):
    options = loading_options(SimpleNamespace(__version__=version), "auto")
    assert options == {
        keyword: "auto",
        "local_files_only": True,
        "trust_remote_code": False,
        "weights_only": True,
    }


def test_an_unknown_dtype_lists_the_known_ones():
    with pytest.raises(BadInputError, match="float32, bfloat16, float16"):
        check_dtype("int8")


def test_a_device_that_is_not_here_is_refused():
    torch = need("torch")
    assert choose_device(torch, "cpu").type == "cpu"
    with pytest.raises(BadInputError, match="'abacus' cannot be used"):
        choose_device(torch, "abacus")


def test_a_reason_is_one_line():
    assert reason_of(ValueError("two\n  lines")) == "ValueError: two lines"
    assert reason_of(KeyError()) == "KeyError: no reason given"
