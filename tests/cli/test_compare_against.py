"""`wavesim compare --against`: a gate that opens for what is as fast as stored, and for nothing else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from wavesim.cli.main import cli

KERNEL, OTHER = "kernels/lessons/two_waves.s", "kernels/lessons/strong_wait.s"


def wavesim(*words: str) -> Result:
    return CliRunner().invoke(cli, list(words), standalone_mode=False)


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    path = tmp_path / "stored.json"
    assert wavesim("run", KERNEL, "--json", str(path)).exception is None
    return path


def scaled(stored: Path, factor: float) -> Path:
    """The report of a run that took ``factor`` times the clocks."""
    data = json.loads(stored.read_text())
    for key in ("clk_total", "clk_per_iteration"):
        data[key] = data[key] * factor if data[key] is not None else None
    path = stored.with_name("scaled.json")
    path.write_text(json.dumps(data))
    return path


def test_the_same_run_passes_without_tolerance(stored: Path) -> None:
    done = wavesim("compare", KERNEL, "--against", str(stored))
    assert done.return_value == 0
    assert "+0.0 %: same" in done.output


@pytest.mark.parametrize(
    ("factor", "tolerance", "code", "word"),
    [
        (0.97, "2%", 1, "slower by more than 2 %"),
        (0.97, "4%", 0, "within"),
        (0.97, "0.04", 0, "within"),
        (1.5, "0%", 0, "faster"),
    ],
)
def test_what_passes(stored: Path, factor: float, tolerance: str, code: int, word: str) -> None:
    words = ("compare", KERNEL, "--against", str(scaled(stored, factor)), "--tolerance", tolerance)
    done = wavesim(*words)
    assert done.return_value == code
    assert word in done.output
    against = json.loads(wavesim(*words, "--json").output)["against"]
    assert all(each["within"] for each in against["figures"]) == (code == 0)


def test_several_kernels_are_found_by_file(tmp_path: Path) -> None:
    path = str(tmp_path / "both.json")
    kernels = (KERNEL, OTHER)
    wavesim("compare", *kernels, "--json", path)
    assert wavesim("compare", *reversed(kernels), "--against", path).return_value == 0
    assert wavesim("compare", kernels[1], "--against", path).return_value == 0


def test_what_says_nothing_is_refused(stored: Path, tmp_path: Path) -> None:
    def refused(*words: str) -> str:
        return str(wavesim("compare", *words).exception)

    assert "no report of kernel strong_wait" in refused(OTHER, "--against", str(stored))
    machine = tmp_path / "m.yaml"
    machine.write_text("base: gfx942\nname: mine\ndescription: mine\n")
    assert "stored for gfx942" in refused(KERNEL, "--machine", str(machine), "--against", str(stored))
    data = json.loads(stored.read_text())
    data["throughput"] = {"flop": 7}
    stored.write_text(json.dumps(data))
    assert "7 FLOP when it was stored" in refused(KERNEL, "--against", str(stored))
    for text in ("{", "[]", '{"schema": "compare", "kernels": [{}]}', '{"schema": "run.schema.json"}'):
        stored.write_text(text)
        assert "stored.json" in refused(KERNEL, "--against", str(stored))
    assert "no tolerance" in refused(KERNEL, "--against", str(stored), "--tolerance", "-1%")
