"""Options and bad input of ``wavesim run`` and ``wavesim compare`` that need no simulation."""

from __future__ import annotations

from pathlib import Path

import pytest

from wavesim.cli import main as entry_point
from wavesim.pipeline.run import RunOptions, run_kernel, split_settings


def exit_code(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr("sys.argv", ["wavesim", *arguments])
    with pytest.raises(SystemExit) as caught:
        entry_point.main()
    code = caught.value.code
    assert isinstance(code, int)
    return code


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "nothing.yaml"], "nothing.yaml: no such file"),
        (["run", "kernel.txt"], "no front end for a file ending in '.txt'"),
        (["run", "k.yaml", "--set", "K"], "is not NAME=VALUE"),
        (["run", "k.yaml", "--width", "10"], "--width"),
        (["run", "k.yaml", "--engine", "magic"], "--engine"),
        (["compare", "nothing.yaml"], "nothing.yaml: no such file"),
        (["compare"], "KERNELS"),
    ],
)
def test_bad_input_is_one_message_and_exit_2(
    arguments: list[str], message: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert exit_code(monkeypatch, *arguments) == 2
    captured = capsys.readouterr()
    assert message in captured.err
    assert "Traceback" not in captured.err
    assert captured.out == ""


def test_arch_and_machine_exclude_each_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "k.yaml").write_text("")
    machine = tmp_path / "m.yaml"
    machine.write_text("base: gfx942\n")
    arguments = ["run", str(tmp_path / "k.yaml"), "--arch", "gfx942", "--machine", str(machine)]
    assert exit_code(monkeypatch, *arguments) == 2
    assert "exclude" in capsys.readouterr().err


def test_settings_with_a_dot_are_the_machines() -> None:
    assert split_settings({"K": "512", "memory.latency_clk": "800"}) == (
        {"K": "512"},
        {"memory.latency_clk": "800"},
    )
    assert RunOptions().engine == "auto"
    assert callable(run_kernel)
