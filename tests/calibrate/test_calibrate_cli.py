"""`wavesim calibrate` from the command line: what it prints, writes, resumes and refuses."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from wavesim.calibrate.bench.programs import microbenchmarks
from wavesim.calibrate.bench.samples import Samples
from wavesim.calibrate.chip.measure import PARTS
from wavesim.calibrate.device.virtual import VirtualDevice
from wavesim.cli.main import main
from wavesim.isa.load import load_machine

KERNELS = Path(__file__).resolve().parents[2] / "kernels"
FEW = ("--only", "nop", "--only", "sleep", "--only", "mfma_f32_16x16x16_bf16*")
SMALL = ("--set", "M=256", "--set", "N=256", "--set", "K=256")
QUICK = ("--repeats", 3, *FEW)


@dataclass(frozen=True)
class Done:
    code: int
    out: str
    err: str


Command = Callable[..., Done]


@pytest.fixture
def calibrate(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    def run(*arguments: object) -> Done:
        monkeypatch.setattr(sys, "argv", ["wavesim", "calibrate", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        printed = capsys.readouterr()
        return Done(int(ended.value.code or 0), printed.out, printed.err)

    return run


def refused(done: Done, *words: str) -> None:
    assert done.code == 2
    assert done.out == ""
    assert done.err.startswith(("wavesim: ", "Usage: "))
    for word in words:
        assert word in done.err


@pytest.mark.parametrize("way", [("--virtual", "gfx942"), ("--virtual", "gfx950"), ("--gpu",)])
def test_a_dry_run_lists_every_program_and_how_long(calibrate: Command, way: tuple[str, ...]) -> None:
    done = calibrate(*way, "--dry-run")
    assert done.code == 0
    found = microbenchmarks(load_machine(way[1] if len(way) > 1 else "gfx942"))
    listed = [line.split()[0] for line in done.out.splitlines() if re.match(r"\w+ {2,}\w", line)]
    assert listed == [*(each.name for each in found), "lane_phases", *PARTS]
    (counted,) = re.findall(
        r"^(\d+) programs and (\d+) empty ones, (\d+) still to run, (\d+)", done.out, re.M
    )
    programs, empty, todo, launches = map(int, counted)
    assert programs == len(found)
    assert todo == programs + empty
    assert launches == 16 * todo
    assert ("on a GPU: seconds" in done.out) == (way == ("--gpu",))
    assert "8wave.hip" in done.out


def test_a_dry_run_knows_what_was_measured_before(calibrate: Command, tmp_path: Path) -> None:
    kept = tmp_path / "s.json"
    calibrate("--virtual", "gfx942", *QUICK, "--no-kernel", "--keep-samples", kept)
    done = calibrate("--virtual", "gfx942", *QUICK, "--no-kernel", "--keep-samples", kept, "--dry-run")
    assert " 0 still to run, 0 launches" in done.out
    done = calibrate("--samples", kept, *FEW, "--dry-run")
    assert "nothing is measured" in done.out


def test_from_measuring_to_the_machine_file(calibrate: Command, tmp_path: Path) -> None:
    machine, kept, report = tmp_path / "mine.yaml", tmp_path / "s.json", tmp_path / "r.json"
    kernel = ("--kernel", KERNELS / "8wave.yaml", *SMALL, "--tolerance", 2)
    files = ("-o", machine, "--keep-samples", kept, "--report", report)
    done = calibrate("--virtual", "gfx942", *QUICK, *kernel, *files)
    assert done.code == 0, done.out
    assert "wavesim's own model, not measured on a GPU" in done.out
    assert "good fit" in done.out
    assert "cost of the stamps" in done.out
    assert "verdict: good: within 2 %" in done.out
    text = machine.read_text()
    for words in (
        "# device: VIRTUAL gfx942",
        "304 CUs, 1000 MHz",
        "driver none, runtime wavesim",
        "3 repeats",
        "not a GPU: nothing here was measured",
    ):
        assert words in text
    assert Samples.read(kept).date in text
    assert load_machine(str(machine)).arch == "gfx942"
    data = json.loads(report.read_text())
    assert data["good"]
    assert data["device"]["virtual"]
    stock, mine = data["kernel"]["simulated"]
    assert (stock["machine"], mine["machine"]) == ("stock", "calibrated")
    assert abs(mine["error"]) < 0.02
    assert mine["stalls_clk"]["matrix_pipe"] > 0
    assert data["kernel"]["verdict"].startswith("verdict: good")
    # the fit repeated without the device gives the same bytes
    again = tmp_path / "again.yaml"
    done = calibrate("--samples", kept, *FEW, "-o", again)
    assert done.code == 0
    assert again.read_bytes() == machine.read_bytes()


def test_the_machine_file_runs(calibrate: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    machine = tmp_path / "mine.yaml"
    calibrate("--virtual", "gfx942", *QUICK, "--no-kernel", "-o", machine)
    arguments = ["run", str(KERNELS / "8wave.yaml"), "--machine", str(machine), "--set", "K=256"]
    monkeypatch.setattr(sys, "argv", ["wavesim", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    assert not ended.value.code


def test_a_page_for_the_browser(calibrate: Command, tmp_path: Path) -> None:
    page = tmp_path / "r.html"
    kernel = ("--kernel", KERNELS / "lessons" / "interleaved.yaml")
    assert calibrate("--virtual", "gfx942", *QUICK, *kernel, "--report", page).code == 0
    text = page.read_text()
    assert "not a GPU: nothing here was measured" in text
    assert "<td>issue.sleep_unit_clk</td>" in text
    assert "clk/iteration, median" in text
    assert "http" not in text


def test_an_interrupted_run_goes_on_where_it_was(
    calibrate: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from wavesim.calibrate.bench import samples as module

    kept = tmp_path / "s.json"
    true, ran = module.run, []

    def stops(device: object, benchmark: object, repeats: int) -> object:
        if len(ran) == 2:
            raise KeyboardInterrupt
        ran.append(benchmark)
        return true(device, benchmark, repeats)  # type: ignore[arg-type]

    arguments = ("--virtual", "gfx942", *QUICK, "--no-kernel", "--keep-samples", kept)
    monkeypatch.setattr(module, "run", stops)
    done = calibrate(*arguments)
    assert (done.code, done.err.strip()) == (130, "wavesim: interrupted")
    before = Samples.read(kept).clk
    assert len(before) == 2
    monkeypatch.setattr(module, "run", true)
    done = calibrate(*arguments)
    assert done.code == 0
    assert f"{kept}: 2 programs were measured before" in done.err
    after = Samples.read(kept).clk
    assert len(after) > 2
    assert {name: after[name] for name in before} == before
    # more repeats measure anew
    assert calibrate(*arguments, "--repeats", 4).code == 0
    assert {len(each) for each in Samples.read(kept).clk.values()} == {4}


def test_samples_of_another_device_are_not_mixed(calibrate: Command, tmp_path: Path) -> None:
    kept = tmp_path / "s.json"
    calibrate("--virtual", "gfx942", *QUICK, "--no-kernel", "--keep-samples", kept)
    done = calibrate("--virtual", "gfx950", *QUICK, "--no-kernel", "--keep-samples", kept)
    refused(done, "has samples of VIRTUAL gfx942", "give another file")


def test_beyond_the_tolerance_is_exit_1(calibrate: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    machine = load_machine("gfx942")
    slow = replace(machine.parameters, lds_read_latency_clk=200)
    monkeypatch.setattr(
        "wavesim.cli.calibrate_device._open", lambda wishes: VirtualDevice(machine, parameters=slow)
    )
    kernel = ("--kernel", KERNELS / "lessons" / "single_buffer.yaml")
    arguments = ("--virtual", "gfx942", "--repeats", 3, "--only", "nop", *kernel)
    assert calibrate(*arguments).code == 0
    done = calibrate(*arguments, "--tolerance", 5)
    assert done.code == 1
    assert "verdict: BAD: beyond 5 %" in done.out


@pytest.mark.parametrize(
    ("kernel", "words"),
    [
        ("seed/v2.yaml", "compared is the whole run of each wave: "),
        ("hip/moved-reads.hip", "clk/iteration, median"),
    ],
)
def test_kernels_that_are_hard_to_stamp(calibrate: Command, kernel: str, words: str) -> None:
    small = SMALL if kernel.startswith("seed") else ()
    done = calibrate(
        "--virtual", "gfx942", "--repeats", 3, "--only", "nop", "--kernel", KERNELS / kernel, *small
    )
    assert words in done.out, done.err
    assert "error" in done.out


def test_wrong_numbers_are_exit_1(calibrate: Command, tmp_path: Path) -> None:
    kernel = ("--kernel", KERNELS / "seed" / "v0.yaml", *SMALL, "--report", tmp_path / "r.json")
    done = calibrate("--virtual", "gfx942", "--repeats", 3, "--only", "nop", *kernel)
    assert done.code == 1
    assert "WRONG NUMBERS" in done.out
    data = json.loads((tmp_path / "r.json").read_text(), parse_constant=pytest.fail)  # no NaN, no Infinity
    assert data["kernel"]["numbers"] == "wrong"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "say which machine"),
        (("--gpu", "--virtual", "gfx942"), "say which machine"),
        (("--virtual", "gfx1100"), "gfx1100"),
        (("--virtual", "gfx942", "--kernel", "absent.hip"), "absent.hip: no such file"),
        (("--virtual", "gfx942", "--kernel", KERNELS / "seed" / "v1.yaml"), "never comes to its end"),
        (("--virtual", "gfx942", "--kernel", KERNELS / "lessons" / "mfma_chain.s"), "kernarg pointer"),
        (("--virtual", "gfx942", "--only", "nothing_*"), "no such microbenchmark"),
        (("--virtual", "gfx942", "--no-kernel", "--tolerance", "5"), "--tolerance is about the real kernel"),
        (("--virtual", "gfx942", "--att", "out"), "a virtual device has no thread trace"),
        (("--virtual", "gfx942", "-o", "/nowhere/at/all.yaml"), "no folder /nowhere/at"),
        (("--virtual", "gfx942", "--report", "/tmp"), "is a folder"),
        (("--samples", "absent.json"), "not a samples file"),
        (("--samples", "absent.json", "--keep-samples", "x.json"), "exclude each other"),
        (("--virtual", "gfx942", "--repeats", "2"), "--repeats"),
        (("--virtual", "gfx942", "DIR"), "what is DIR for?"),
    ],
    ids=str,
)
def test_refused_before_anything_is_measured(
    calibrate: Command, arguments: tuple[object, ...], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: object) -> None:
        raise AssertionError("measured")

    monkeypatch.setattr("wavesim.calibrate.bench.samples.run", never)
    refused(calibrate(*arguments), words)


def test_every_value_that_a_fit_may_find_can_stand_in_a_machine_file() -> None:
    from wavesim.calibrate.bench.quantities import Model, candidates

    machine = load_machine("gfx942")
    stock = Model.of(machine)
    for name in {each for benchmark in microbenchmarks(machine) for each in benchmark.parameters}:
        for value in (candidates(name, stock.value(name))[0], candidates(name, stock.value(name))[-1]):
            if len(name.split(".")) == 2 and "mfma_table" not in name:
                assert load_machine("gfx942", {name: value}).integer(name) == value
