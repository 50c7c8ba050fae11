"""`wavesim lower` on assembly: prints what is simulated, and refuses by message."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from wavesim.asm.text.parse import parse_program
from wavesim.cli.lower import lower
from wavesim.errors import UserError

TEXT = '\t.amdgcn_target "amdgcn-amd-amdhsa--gfx942"\nhead:\n\ts_nop 1\n\ts_branch head\n\ts_endpgm\n'


def test_prints_a_complete_file_that_parses_back(tmp_path: Path) -> None:
    source = tmp_path / "kernel.s"
    source.write_text(TEXT)
    done = CliRunner().invoke(lower, [str(source)], catch_exceptions=False)
    assert done.exit_code == 0
    again = parse_program(done.stdout, "out.s")
    assert [item.opcode for item in again] == ["s_nop", "s_branch", "s_endpgm"]
    assert dict(again.labels) == {"head": 0}


def test_writes_to_a_file(tmp_path: Path) -> None:
    source, target = tmp_path / "kernel.s", tmp_path / "out.s"
    source.write_text(TEXT)
    done = CliRunner().invoke(lower, [str(source), "-o", str(target)], catch_exceptions=False)
    assert done.stdout == ""
    assert ".amdhsa_kernel kernel" in target.read_text()


def test_a_missing_kernel_is_refused() -> None:
    with pytest.raises(UserError, match=r"cannot read missing\.s: No such file or directory"):
        CliRunner().invoke(lower, ["missing.s"], catch_exceptions=False)


def test_a_setting_without_a_value_is_refused() -> None:
    done = CliRunner().invoke(lower, ["missing.s", "--set", "K"])
    assert done.exit_code == 2
    assert "'K' is not NAME=VALUE" in done.stderr
