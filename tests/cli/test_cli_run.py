"""``wavesim run`` and ``compare`` end to end on the half-split tile program, with few iterations."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from wavesim.cli import main as entry_point

SHORT = ("--set", "K=256")


@pytest.fixture
def kernel(root: Path) -> str:
    return str(root / "kernels/8wave.yaml")


def call(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr("sys.argv", ["wavesim", *arguments])
    with pytest.raises(SystemExit) as caught:
        entry_point.main()
    assert isinstance(caught.value.code, int)
    return caught.value.code


def test_a_good_kernel(
    kernel: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(monkeypatch, "run", kernel, *SHORT) == 0
    first = capsys.readouterr()
    assert "races and missing waits not" in first.out
    assert first.err == ""
    assert max(map(len, first.out.splitlines())) <= 80
    assert call(monkeypatch, "run", kernel, *SHORT) == 0
    assert capsys.readouterr().out == first.out


def test_json_stands_alone_on_standard_output_and_in_a_file(
    kernel: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    assert call(monkeypatch, "run", kernel, "--json", *SHORT) == 0
    text = capfd.readouterr().out
    assert json.loads(text)["numerics"]["ok"]
    path = tmp_path / "run.json"
    assert call(monkeypatch, "run", kernel, "--json", str(path), *SHORT) == 0
    assert path.read_text() == text
    assert "clk per iteration" in capfd.readouterr().out


def test_traces_for_other_tools(
    kernel: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    perfetto, konata = tmp_path / "run.perfetto.json", tmp_path / "run.kanata"
    assert (
        call(monkeypatch, "run", kernel, "--perfetto", str(perfetto), "--konata", str(konata), "--ascii") == 0
    )
    capsys.readouterr().out.encode("ascii")
    events = json.loads(perfetto.read_text())["traceEvents"]
    counters = {event["name"] for event in events if event["ph"] == "C"}
    assert counters == {f"g0w{wave} {name}cnt" for wave in range(8) for name in ("lgkm", "vm")}
    assert min(event["args"]["n"] for event in events if event["ph"] == "C") == 0
    assert konata.read_text().startswith("Kanata\t0004\n")


def test_settings_reach_launch_and_machine(
    kernel: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    clocks = []
    for latency in ("400", "1600"):
        settings = ("--set", "K=128", "--set", f"memory.latency_clk={latency}")
        assert call(monkeypatch, "run", kernel, "--json", "-", *settings) == 0
        clocks.append(json.loads(capfd.readouterr().out)["clk_total"])
    assert clocks[1] - clocks[0] >= 1200


def test_a_kernel_with_a_fault_is_a_bad_verdict(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(monkeypatch, "run", str(root / "kernels/seed/v1.yaml"), *SHORT) == 1
    captured = capsys.readouterr()
    assert "bad: deadlock" in captured.out
    assert "Traceback" not in captured.err


def test_compare_ranks(
    kernel: str, root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    other = str(root / "kernels/seed/v0.yaml")
    assert call(monkeypatch, "compare", kernel, kernel, other, "--timeline", *SHORT) == 1
    text = capsys.readouterr().out
    assert "takes the fewest clocks per FLOP" in text
    assert text.count("Timeline") == 3
    assert max(map(len, text.splitlines())) <= 80
