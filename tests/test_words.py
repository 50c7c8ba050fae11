"""Numbers, shares and counts read alike everywhere."""

from __future__ import annotations

import pytest

from wavesim.words import counted, number, percent, signed_percent


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (number(1024.0), "1024"),
        (number(1180.46), "1180.5"),
        (number(0.12345, 3), "0.123"),
        (percent(0.4349), "43.5 %"),
        (percent(0.47, 0), "47 %"),
        (percent(None), "-"),
        (signed_percent(0.0123), "+1.2 %"),
        (signed_percent(-0.0001), "+0.0 %"),
        (counted(1, "wave"), "1 wave"),
        (counted(2, "LDS access"), "2 LDS accesses"),
        (counted(0, "finding"), "0 findings"),
    ],
)
def test_words(text: str, expected: str) -> None:
    assert text == expected
