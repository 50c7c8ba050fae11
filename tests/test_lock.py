"""constraints.txt pins every dependency, within the open ranges of pyproject.toml."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
WANTED = [
    *PROJECT["dependencies"],
    *(each for extra in PROJECT["optional-dependencies"].values() for each in extra),
]


def pins(name: str) -> list[Requirement]:
    """One, or one for each range of Python versions."""
    lines = [line.split("#")[0].strip() for line in (ROOT / "constraints.txt").read_text().splitlines()]
    found = [Requirement(line) for line in lines if line]
    return [each for each in found if canonicalize_name(each.name) == canonicalize_name(name)]


@pytest.mark.parametrize("text", [each for each in WANTED if not each.startswith("wavesim-cdna")])
def test_the_lock_pins_within_the_open_range(text: str) -> None:
    wanted = Requirement(text)
    assert pins(wanted.name), f"make lock: {text} is not pinned"
    for found in pins(wanted.name):
        (pin,) = found.specifier
        assert pin.operator == "=="
        assert wanted.specifier.contains(pin.version), f"make lock: {text} against {pin}"


@pytest.mark.parametrize("text", PROJECT["dependencies"])
def test_what_users_install_stays_open(text: str) -> None:
    assert {each.operator for each in Requirement(text).specifier} == {">="}
