"""What the report says of tokens that others spoke for."""

from __future__ import annotations

from forensics.report.blocks import Paragraph
from forensics.report.sections.scan.remarks import remarks
from forensics.schema.scan import KinSummary, VerificationSummary


def test_says_how_many_were_spoken_for_and_how_often_a_reader_was_not_like_the_rest() -> None:
    found = VerificationSummary(
        kin=KinSummary(groups=3, read=24, shown=0, interval=(0, 0.1425), spoken_for=2360)
    )
    assert list(remarks(found)) == [
        Paragraph(
            "2,360 tokens were not put to every prompt: the probes show nothing of them, and their rows "
            "nearly coincide with those of others that were read to the end. Of 24 read in 3 such groups, 0 "
            "were not verified strongly (95 % interval 0 to 14 %); one that is not sends its whole group "
            "through the prompts."
        )
    ]
