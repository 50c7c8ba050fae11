"""The seed's verdicts, rule id by rule id, as docs/checks/seed.md tabulates them; the way out is clean."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from wavesim.checks.run import check_kernel
from wavesim.pipeline.run import RunOptions, prepare

ROOT = Path(__file__).resolve().parents[2]

VERDICTS = {
    "V0": {"lds-race", "missing-wait", "lds-uninitialised", "wrong-result"},
    "V1": {"barrier-deadlock", "spin-deadlock", "register-uninitialised", "lds-overflow"},
    "V2": {"tile-coverage", "lds-uninitialised", "wrong-result"},
    "V3": {"tile-coverage", "lds-race", "missing-wait", "wrong-result"},
    "V4": {"lds-buffer-overrun", "register-index", "lds-race", "missing-wait"},
}


def bad_rules(path: Path, steps: str) -> set[str]:
    kernel, machine = prepare(path, RunOptions(settings={"K": steps}))
    return {finding.rule for finding in check_kernel(kernel, machine).findings if finding.is_bad}


@pytest.mark.parametrize("version", VERDICTS)
def test_verdict(version: str) -> None:
    assert bad_rules(ROOT / "kernels" / "seed" / f"{version.lower()}.yaml", "256") == VERDICTS[version]


@pytest.mark.parametrize("name", ["4wave", "8wave", "8wave_pingpong"])
def test_the_ladder_is_clean(name: str) -> None:
    assert not bad_rules(ROOT / "kernels" / f"{name}.yaml", "256")


def test_the_page_tabulates_them() -> None:
    text = (ROOT / "docs" / "checks" / "seed.md").read_text(encoding="utf-8")
    rows = [line for line in text.split("\n") if line.startswith("| ")][1:]
    tabulated: dict[str, set[str]] = {}
    version = ""
    for row in rows:
        first, _, says = (cell.strip() for cell in row.strip("|").split("|"))
        version = first or version
        tabulated.setdefault(version, set()).update(re.findall(r"\[`([a-z-]+)`\]", says))
    # wrong numbers of V3 follow from what its table names
    assert {**tabulated, "V3": tabulated["V3"] | {"wrong-result"}} == VERDICTS
