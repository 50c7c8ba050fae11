"""A sweep on processes: the figures of single runs, the same bytes, nothing lost and nothing doubled."""

from __future__ import annotations

import csv
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import wavesim
from wavesim.errors import UserError
from wavesim.limits import Budget, allowing
from wavesim.pipeline.cluster import fingerprint
from wavesim.sweeps.cells import (
    cell_from,
    cell_text,
    read_contents,
    result_from,
    run_cell,
    run_cell_elsewhere,
)
from wavesim.sweeps.journal import journal_path
from wavesim.sweeps.run import SweepProgress
from wavesim.sweeps.spec import read_spec

SPEC = {
    "kernels": ["kernels/lessons/two_waves.s", "kernels/lessons/strong_wait.s", "kernels/8wave.yaml"],
    "arch": ["gfx942", "MI325X"],
    "set": {"K": [128, 100]},
    "machine_set": {"memory.latency_clk": ["l2", 700]},
    "figures": ["clk_total", "mfma_busy", "tflops", "binding"],
}
"""16 runs; the half-split with K = 100 is refused."""

RUNS = 16

GOOD = {**SPEC, "set": {"K": [128, 64]}}
"""As many, none of them refused."""


class Stopped(Exception):
    """What stops a sweep in these tests."""


def stop_after(count: int) -> object:
    def tell(progress: SweepProgress) -> None:
        if progress.done - progress.known >= count:
            raise Stopped

    return tell


def test_a_row_is_what_run_says_and_a_fault_stands_in_its_row(tmp_path: Path) -> None:
    output = tmp_path / "out.csv"
    table = wavesim.sweep(SPEC, output, processes=2)
    assert len(table) == RUNS == len({row[:4] for row in table.rows})
    alone = wavesim.run("kernels/8wave.yaml", arch="MI325X", settings={"K": 128, "memory.latency_clk": 700})
    place = table.rows.index(next(row for row in table.rows if row[1:4] == ("MI325X", 128, 700)))
    assert table["clk_total"][place] == alone.clk_total
    assert table["tflops"][place] == alone.throughput.tflops
    assert table["mfma_busy"][place] == alone.analysis.mfma_busy_share
    faults = [row for row in table.rows if row[-1]]
    assert {row[0:3:2] for row in faults} == {("kernels/8wave.yaml", 100)}
    assert "the kernel needs K % K_STEP == 0; here K = 100" in faults[0][-1]
    assert table.verdict == "bad"
    with output.open(newline="") as file:
        read = list(csv.reader(file))
    assert tuple(read[0]) == table.columns
    assert [tuple(row) for row in read[1:]] == [
        tuple("" if value is None else str(value) for value in row) for row in table.rows
    ]
    assert os.listdir(tmp_path) == ["out.csv"]  # no journal of a sweep that is done


def test_other_processes_give_the_same_bytes() -> None:
    assert str(wavesim.sweep(SPEC, processes=1)) == str(wavesim.sweep(SPEC, processes=3))


def test_a_stopped_sweep_goes_on_where_it_was(tmp_path: Path) -> None:
    """With the end of a line that was never written whole, which is run again."""
    output = tmp_path / "out.csv"
    with pytest.raises(Stopped):
        wavesim.sweep(GOOD, output, processes=2, progress=stop_after(6))
    journal = journal_path(output)
    assert not output.exists()
    lines = journal.read_bytes().splitlines(keepends=True)
    assert len(lines) == 6
    journal.write_bytes(b"".join(lines[:5]) + lines[5][:-20])
    with pytest.raises(UserError, match="5 results of a sweep that was stopped\n  --resume goes on"):
        wavesim.sweep(GOOD, output)
    told: list[SweepProgress] = []
    table = wavesim.sweep(GOOD, output, processes=2, resume=True, progress=told.append)
    assert [each.done for each in told] == list(range(5, RUNS + 1))
    assert {each.known for each in told} == {5}
    assert output.read_text() == str(table) == str(wavesim.sweep(GOOD))
    whole = journal.read_bytes().splitlines()
    assert len(whole) == RUNS == len({line.split(b'"')[3] for line in whole})
    again: list[SweepProgress] = []
    more = {**GOOD, "set": {"K": [128, 64, 192]}}
    wavesim.sweep(more, output, resume=True, progress=again.append)
    assert (again[-1].known, again[-1].total) == (RUNS, RUNS + 4)


def test_what_was_refused_is_tried_again_but_not_what_used_up_its_budget(tmp_path: Path) -> None:
    """A refusal may hang on the machine, such as on a compiler that is missing."""
    output = tmp_path / "out.csv"
    told: list[SweepProgress] = []
    spec = {"kernels": "kernels/8wave.yaml", "set": {"K": [64, 100]}}
    with allowing(Budget(clk=1000)):
        table = wavesim.sweep(spec, output, resume=True)
        wavesim.sweep(spec, output, resume=True, progress=told.append)
    assert "the budget of 1000 simulated clocks is used up" in table["error"][0]
    assert [each.known for each in told] == [1, 1]
    wavesim.sweep(spec, output, resume=True, progress=told.append)
    assert told[-1].known == 0


def test_a_journal_is_of_one_sweep_and_whole(tmp_path: Path) -> None:
    output = tmp_path / "out.csv"
    journal_path(output).write_text("{}\n")
    with pytest.raises(UserError, match=r"out.csv.journal:1: not a line of a sweep's journal"):
        wavesim.sweep(SPEC, output, resume=True)
    journal_path(output).unlink()

    def second(progress: SweepProgress) -> None:
        with pytest.raises(UserError, match="another sweep is writing this journal"):
            wavesim.sweep(SPEC, output)
        raise Stopped

    with pytest.raises(Stopped):
        wavesim.sweep(SPEC, output, progress=second)
    assert os.listdir(tmp_path) == []


def children() -> list[int]:
    found = subprocess.run(["pgrep", "-P", str(os.getpid())], capture_output=True, text=True, check=False)
    return [int(each) for each in found.stdout.split()]


def test_a_killed_process_loses_nothing() -> None:
    before, killed = set(children()), []

    def kill(progress: SweepProgress) -> None:
        if progress.done in (3, 7):
            killed.extend(sorted(set(children()) - before - set(killed))[:1])
            os.kill(killed[-1], signal.SIGKILL)

    told: list[int] = []
    table = wavesim.sweep(SPEC, processes=2, progress=lambda each: (told.append(each.done), kill(each))[0])
    assert len(killed) == 2
    assert told == list(range(RUNS + 1))
    assert str(table) == str(wavesim.sweep(SPEC))


def test_a_run_that_ends_its_process_is_given_up_and_not_remembered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each process of this sweep dies of seed 3, as of want of memory; the other runs are all there."""
    (tmp_path / "sitecustomize.py").write_text(
        "import os, wavesim.sweeps.cells as cells\n"
        "run = cells.run_cell\n"
        "cells.run_cell = lambda cell: os._exit(9) if cell.seed == 3 else run(cell)\n"
    )
    spec = {"kernels": "kernels/8wave.yaml", "set": {"K": 64}, "seeds": [1, 2, 3, 4]}
    output = tmp_path / "out.csv"
    with monkeypatch.context() as patch:
        patch.setenv("PYTHONPATH", str(tmp_path))
        table = wavesim.sweep(spec, output, processes=2, resume=True)
    assert table["verdict"] == ["unchecked", "unchecked", "bad", "unchecked"]
    assert table["error"][2] == "its process ended 3 times: killed, or out of memory"
    assert wavesim.sweep(spec, output, resume=True)["verdict"] == ["unchecked"] * 4


def test_seeds_are_other_numbers_in_the_same_clocks() -> None:
    figures = ["clk_total", "max_rel_error"]
    table = wavesim.sweep(
        {"kernels": "kernels/8wave.yaml", "set": {"K": 64}, "seeds": [0, 1, 2], "figures": figures}
    )
    assert len(set(table["clk_total"])) == 1
    assert len(set(table["max_rel_error"])) == 3
    assert all(error < 1e-5 for error in table["max_rel_error"])
    assert table.verdict == "unchecked"


def test_a_cell_runs_where_its_files_are_not(tmp_path: Path) -> None:
    """As on a cluster: the files come with the cell. Another wavesim refuses it."""
    for name, text in (("base", "constants: {K: 128}"), ("own", "include: [8wave.yaml, base.yaml]")):
        (tmp_path / f"{name}.yaml").write_text(text)
    (tmp_path / "spec.yaml").write_text("kernels: own.yaml\nset: {UNROLL: [1, 3]}\n")
    for _, cell in read_spec(tmp_path / "spec.yaml").cells():
        here = run_cell(cell)
        contents = read_contents(cell.files)
        moved = [(name.replace(str(tmp_path), "/nowhere"), content) for name, content in contents]
        text = cell_text(cell).replace(str(tmp_path), "/nowhere")
        there = result_from(run_cell_elsewhere(text, moved, fingerprint()), cell_from(text))
        assert (there.key, there.figures, there.error) == (here.key, here.figures, here.error)
        assert "another version" in result_from(run_cell_elsewhere(text, moved, "x"), cell).error
    assert here.error.startswith("own.yaml") or not here.error


def test_a_kernel_that_changes_meanwhile_is_not_mixed(tmp_path: Path) -> None:
    kernel = tmp_path / "own.yaml"
    kernel.write_text("include: 8wave.yaml\nconstants: {K: 64}\n")
    ((_, cell),) = read_spec({"kernels": str(kernel)}).cells()
    kernel.write_text("include: 8wave.yaml\nconstants: {K: 128}\n")
    result = run_cell(cell)
    assert result.error == "a file of the kernel changed while the sweep ran"
    assert not result.lasting


def test_parquet_holds_the_same_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parquet = pytest.importorskip("pyarrow.parquet", reason="needs pyarrow (extra sweep)")
    output = tmp_path / "out.parquet"
    table = wavesim.sweep(SPEC, output)
    read = parquet.read_table(output).to_pydict()
    assert tuple(read) == table.columns
    assert read["clk_total"] == table["clk_total"]
    assert read["memory.latency_clk"] == [str(value) for value in table["memory.latency_clk"]]
    first = output.read_bytes()
    wavesim.sweep(SPEC, output)
    assert output.read_bytes() == first
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(UserError, match="Parquet needs pyarrow"):
        wavesim.sweep(SPEC, output)


def command(*words: str | Path, **options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "wavesim", "sweep", *map(str, words)],
        capture_output=True,
        text=True,
        check=False,
        **options,  # type: ignore[call-overload]
    )


def test_the_command_writes_the_table_and_its_exit_code_says_what_came_of_it(tmp_path: Path) -> None:
    good = tmp_path / "good.yaml"
    good.write_text("kernels: kernels/8wave.yaml\nset: {K: [64, 128]}\nfigures: clk_total\nnumbers: false\n")
    done = command(good)
    assert done.returncode == 0
    assert done.stdout.splitlines()[0] == "kernel,K,clk_total,verdict,error"
    assert len(done.stdout.splitlines()) == 3
    assert done.stderr.startswith("2 runs, ")
    bad = tmp_path / "bad.yaml"
    bad.write_text("kernels: kernels/8wave.yaml\nset: {K: [64, 100]}\n")
    assert command(bad, "-o", tmp_path / "out.csv").returncode == 1
    for words, message in (
        ((good, "-o", tmp_path / "out.txt"), "a table ends in .csv or .parquet"),
        ((good, "--resume"), "--resume needs -o"),
        ((good, "-o", good), "the output would replace an input"),
        ((good, "--scheduler", "tcp://x:1", "--processes", "2"), "exclude each other"),
        ((good, "-o", tmp_path / "none" / "out.csv"), "cannot write here"),
    ):
        failed = command(*words)
        assert failed.returncode == 2
        assert message in failed.stderr
        assert "Traceback" not in failed.stderr


def test_an_interrupted_command_keeps_what_it_has(tmp_path: Path) -> None:
    """Its process stops at the third run, so that the interrupt comes in the middle. Where a shell has begun
    the tests in the background, processes ignore it otherwise."""
    (tmp_path / "sitecustomize.py").write_text(
        "import signal, time, wavesim.sweeps.cells as cells\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "run = cells.run_cell\n"
        "cells.run_cell = lambda cell: time.sleep(600) if cell.settings['K'] == '192' else run(cell)\n"
    )
    spec, output = tmp_path / "spec.yaml", tmp_path / "out.csv"
    spec.write_text("kernels: kernels/8wave.yaml\nset: {K: [64, 128, 192, 256]}\n")
    words = [sys.executable, "-m", "wavesim", "sweep", str(spec), "-o", str(output), "--processes", "1"]
    stopping = {**os.environ, "PYTHONPATH": str(tmp_path)}
    with subprocess.Popen(words, stderr=subprocess.PIPE, text=True, env=stopping) as process:
        while process.poll() is None and not (
            journal_path(output).exists() and journal_path(output).read_bytes().count(b"\n") == 2
        ):
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        _, text = process.communicate()
    assert process.returncode == 130
    assert "of 4 runs are kept: --resume goes on" in text
    assert command(spec, "-o", output, "--resume").returncode == 0
    assert output.read_text() == str(wavesim.sweep(spec))


def test_candidates_are_schedules_that_tune_finds(tmp_path: Path) -> None:
    """The row of a search has the figures of the assembly that ``wavesim tune`` writes."""
    kernel, tuned = "kernels/lessons/strong_wait.s", tmp_path / "tuned.s"
    figures = ["clk_total", "clk_per_iteration"]
    table = wavesim.sweep({"kernels": kernel, "candidates": [0, 20], "seeds": 1, "figures": figures})
    words = ["tune", kernel, "--candidates", "20", "--seed", "1", "-o", str(tuned)]
    subprocess.run([sys.executable, "-m", "wavesim", *words], check=True, capture_output=True)
    launch = wavesim.LaunchOptions(block=256)
    assert table["clk_total"] == [wavesim.run(each, launch=launch).clk_total for each in (kernel, tuned)]
    as_written, found = table["clk_per_iteration"]
    assert found < 0.7 * as_written
