"""The library is built, found, refused when stale, and done without; the default engine follows."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import builders as b
import pytest
from click.testing import CliRunner

from wavesim import timing
from wavesim.cli.main import cli
from wavesim.cli.options import ENGINE_CHOICES
from wavesim.errors import UserError
from wavesim.replays.validate import forced_rows
from wavesim.timing import compiled, simulate
from wavesim.timing.compare import EnginesDiffer
from wavesim.timing.compiled import build, engine, library
from wavesim.timing.forced import forced_issue_clk


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The engine's folder as it is in an installed package, without a library."""
    folder = tmp_path / "site-packages" / "wavesim" / "timing" / "compiled"
    folder.mkdir(parents=True)
    (folder / "engine.c").write_bytes(build.SOURCE.read_bytes())
    monkeypatch.setattr(build, "FOLDER", folder)
    monkeypatch.setattr(build, "SOURCE", folder / "engine.c")
    return folder


@pytest.fixture
def without_library(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An install that has none."""
    monkeypatch.setattr(engine, "load", lambda: (None, "there is no compiler here"))
    timing.default_engine.cache_clear()
    yield
    timing.default_engine.cache_clear()


def test_built_found_and_loaded(elsewhere: Path) -> None:
    assert build.build() == ""
    path = build.library_path()
    assert [each.name for each in elsewhere.iterdir() if each != build.SOURCE] == [path.name]
    loaded, problem = library.load_from(str(path))
    assert loaded is not None, problem
    assert loaded.wavesim_source_hash().decode() == build.source_hash()


def test_a_stale_library_is_not_found_and_goes_when_a_new_one_is_built(elsewhere: Path) -> None:
    assert build.build() == ""
    stale = build.library_path()
    build.SOURCE.write_text(build.SOURCE.read_text(encoding="utf-8") + "\n/* changed */\n", encoding="utf-8")
    assert build.library_path() != stale
    assert library.load.__wrapped__()[0] is None
    assert library.load_from(str(stale)) == (None, "it was built from another source; install wavesim again")
    assert build.build() == ""
    assert not stale.exists()
    assert build.library_path().exists()


def test_a_checkout_builds_what_is_missing(elsewhere: Path) -> None:
    (elsewhere.parents[2] / "hatch_build.py").touch()
    loaded, problem = library.load.__wrapped__()
    assert loaded is not None, problem


def test_a_compiler_that_fails_or_is_not_there(elsewhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (elsewhere.parents[2] / "hatch_build.py").touch()
    for compiler, problem in (("/nowhere/cc", "No such file"), ("false", "exit code 1")):
        monkeypatch.setenv("CC", compiler)
        loaded, found = library.load.__wrapped__()
        assert loaded is None
        assert found.startswith("it could not be built: ")
        assert problem in found
    monkeypatch.delenv("CC")
    monkeypatch.setenv("PATH", str(elsewhere))
    assert build.build() == "no C compiler ($CC, cc, clang, gcc)"
    assert [each.name for each in elsewhere.iterdir()] == ["engine.c"]


def test_a_file_that_is_no_library(tmp_path: Path) -> None:
    (tmp_path / "engine.so").write_bytes(b"not a library")
    assert library.load_from(str(tmp_path / "engine.so"))[1].startswith("it cannot be loaded: ")


@pytest.mark.usefixtures("without_library")
def test_without_a_library_simpy_serves_and_says_so_once(caplog: pytest.LogCaptureFixture) -> None:
    trace, p = b.streams([[b.valu()]]), b.parameters()
    with caplog.at_level(logging.WARNING):
        assert [simulate(trace, p).engine for _ in range(3)] == ["simpy"] * 3
    assert [record.getMessage() for record in caplog.records] == [
        "wavesim: no compiled timing engine, SimPy serves: there is no compiler here"
    ]
    for asked in ("compiled", "both"):
        with pytest.raises(UserError, match="no compiled timing engine: there is no compiler here"):
            simulate(trace, p, engine=asked)
    shown = CliRunner().invoke(cli, ["--version"])
    assert "timing engines: simpy; no compiled one: there is no compiler here" in shown.output


@pytest.mark.usefixtures("without_library")
def test_without_a_library_nothing_is_predicted_teacher_forced() -> None:
    """A validation leaves its table out; who asks for it is told what is missing."""
    trace = b.streams([[b.valu()]])
    with pytest.raises(UserError, match="no compiled timing engine: there is no compiler here"):
        forced_issue_clk(simulate(trace, b.parameters()), trace, b.parameters())
    assert forced_rows() == 0


def test_what_may_be_asked_for() -> None:
    trace, p = b.streams([[b.lds_read(), b.wait(lgkm=0)]]), b.parameters()
    assert ENGINE_CHOICES == timing.CHOICES
    engines = [simulate(trace, p, engine=asked).engine for asked in ENGINE_CHOICES]
    assert engines == ["compiled", "compiled", "simpy", "both"]
    assert "timing engines: compiled, simpy" in CliRunner().invoke(cli, ["--version"]).output


def test_both_notice_a_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    """The compiled engine with one clock changed: the wave, the array and both clocks are named."""
    right = compiled.run

    def wrong(*arguments: object) -> object:
        timeline = right(*arguments)  # type: ignore[arg-type]
        timeline.waves[0].issue_clk[1] += 4
        return timeline

    monkeypatch.setattr(compiled, "run", wrong)
    trace = b.streams([[b.lds_read(), b.wait(lgkm=0)]])
    with pytest.raises(EnginesDiffer, match=r"wave 0, issue_clk\[1\]: 56 and 52") as found:
        simulate(trace, b.parameters(), engine="both")
    assert found.value.exit_code == 2
