"""Commands on folders that are no trace, empty or corrupted: exit 2 and one message; replay as a whole."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

TRACE = Path(__file__).parents[3] / "shared" / "traces" / "gfx942_gemm_1024cube"


def wavesim(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "wavesim", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def assert_refused(done: subprocess.CompletedProcess[str], *words: str) -> None:
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    messages = [line for line in done.stderr.splitlines() if line.startswith("wavesim:")]
    assert len(messages) == 1
    for word in words:
        assert word in done.stderr
    assert done.stdout == ""


COMMANDS = (("trace", "info"), ("replay",), ("validate",), ("calibrate", "--trace"))


@pytest.mark.parametrize("command", COMMANDS)
def test_an_empty_folder(command: tuple[str, ...], tmp_path: Path) -> None:
    assert_refused(wavesim(*command, tmp_path), str(tmp_path))


@pytest.mark.parametrize("command", COMMANDS)
def test_no_such_folder(command: tuple[str, ...], tmp_path: Path) -> None:
    assert_refused(wavesim(*command, tmp_path / "absent"), "absent")


@pytest.mark.parametrize("command", [("trace", "info"), ("replay",)])
def test_a_file_instead_of_a_folder(command: tuple[str, ...], tmp_path: Path) -> None:
    file = tmp_path / "kernel.s"
    file.write_text("s_endpgm\n")
    assert_refused(wavesim(*command, file), "kernel.s")


@pytest.mark.parametrize("command", [("trace", "info"), ("replay",), ("calibrate", "--trace")])
def test_a_corrupted_file_is_named(command: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "filenames.json").write_text('{"version": "3.0.0", "wave_filenames": {')
    (tmp_path / "code.json").write_text('{"code": []}')
    assert_refused(wavesim(*command, tmp_path), "filenames.json")


def test_a_corrupted_trace_is_a_row_of_the_validation(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "filenames.json").write_text("[]")
    done = wavesim("validate", tmp_path, "--processes", 1)
    assert done.returncode == 1
    assert "failed:" in done.stdout
    assert "1/1 one" in done.stderr


def test_bad_options_are_refused(tmp_path: Path) -> None:
    assert_refused(wavesim("replay", tmp_path, "--memory", "guessed"), "measured, shifted:N")
    assert_refused(wavesim("replay", tmp_path, "--without", "gravity"), "lds_queue")
    assert_refused(wavesim("calibrate"), "--trace")


def test_a_replay_in_text_and_json() -> None:
    if not TRACE.is_dir():
        pytest.skip("no measured traces (../shared/traces)")
    done = wavesim("replay", TRACE, "--tolerance", 0.2)
    assert done.returncode == 0
    assert "Furthest apart" in done.stdout
    assert "simulated, from clk" in done.stdout
    done = wavesim("replay", TRACE, "--json", "--tolerance", 0.0001)
    assert done.returncode == 1
    assert json.loads(done.stdout)["measured"]["span_clk"] == 18624
