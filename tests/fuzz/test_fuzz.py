"""A sample of nonsense, the same each time; ``WAVESIM_FUZZ_CASES=20000`` tries more of it."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner
from fuzz_cases import FAMILIES, KERNEL, LAUNCH, MACHINE, PART, TILES, cases_of, failures

from wavesim.cli.main import cli

CASES = int(os.environ.get("WAVESIM_FUZZ_CASES", "2000"))


@pytest.mark.parametrize("family", FAMILIES)
def test_nonsense_is_answered_or_refused(family: str) -> None:
    cases = [case for case in cases_of(CASES) if case.startswith(f"{family}:")]
    found = list(failures(cases))
    again = "\n".join(f"{each.case}: wavesim {shlex.join(each.words)}\n{each.what}" for each in found[:3])
    assert not found, (
        f"{len(found)} of {len(cases)}; python tests/fuzz/fuzz_cases.py CASE repeats one\n{again}"
    )


def test_what_is_spoilt_is_good_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else every case would end at the first line."""
    (tmp_path / "k.s").write_text(KERNEL)
    (tmp_path / "k.launch.yaml").write_text(yaml.safe_dump(LAUNCH, sort_keys=False))
    (tmp_path / "m.yaml").write_text(yaml.safe_dump(MACHINE, sort_keys=False))
    (tmp_path / "t.yaml").write_text(TILES)
    (tmp_path / "part.yaml").write_text(PART)
    monkeypatch.chdir(tmp_path)
    for words in ("run k.s --machine m.yaml", "run t.yaml", "check t.yaml"):
        done = CliRunner().invoke(cli, words.split())
        assert done.exit_code in (0, 1), f"{words}: {done.exception}"
