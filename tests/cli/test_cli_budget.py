"""Budgets: what would take hours or gigabytes is refused in seconds, with the option that raises it."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import pytest

from wavesim.asm.text.parse import parse_program
from wavesim.cli import main as entry_point
from wavesim.emulate.run import emulate
from wavesim.errors import LimitExceeded
from wavesim.front.launch.model import Launch
from wavesim.isa.load import load_machine
from wavesim.limits import Budget, allowing, budget

COUNTING = """
 .amdgcn_target "amdgcn-amd-amdhsa--gfx942"
k:
 s_mov_b32 s4, 0
loop:
 s_add_u32 s4, s4, 1
 s_cmp_lg_u32 s4, {count}
 s_cbranch_scc1 loop
 s_endpgm
 .amdhsa_kernel k
 .amdhsa_next_free_vgpr 8
 .amdhsa_next_free_sgpr 16
 .amdhsa_accum_offset 8
 .end_amdhsa_kernel
"""


def call(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr("sys.argv", ["wavesim", *arguments])
    with pytest.raises(SystemExit) as caught:
        entry_point.main()
    assert isinstance(caught.value.code, int)
    return caught.value.code


@pytest.fixture
def counting(tmp_path: Path) -> str:
    path = tmp_path / "k.s"
    path.write_text(COUNTING.format(count=20_000))
    return str(path)


@pytest.mark.parametrize("command", ["run", "check", "explain", "report"])
def test_too_many_instructions(
    command: str, counting: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(Path(counting).parent)
    assert call(monkeypatch, command, counting, "--block", "64", "--max-instructions", "1000") == 2
    message = capsys.readouterr().err
    assert "k.s:8: the budget of 1000 executed instructions is used up" in message
    assert "--max-instructions" in message
    assert [path.name for path in Path().iterdir()] == ["k.s"]  # nothing half-written
    assert budget() == Budget()  # in force for that command only


def test_a_raised_budget_lets_it_run(counting: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert call(monkeypatch, "run", counting, "--block", "64", "--max-instructions", "1000000") == 0


@pytest.mark.parametrize("engine", ["simpy", "compiled"])
def test_too_many_clocks(
    engine: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], root: Path
) -> None:
    kernel = str(root / "kernels/lessons/strong_wait.s")
    slow = ("--set", "gap.valu_to_memory_clk=1000000000", "--max-clk", "20000", "--engine", engine)
    assert call(monkeypatch, "run", kernel, *slow) == 2
    message = capsys.readouterr().err
    assert "the budget of 20000 simulated clocks is used up" in message
    assert "--max-clk" in message


def test_passes_that_look_the_same_are_kept_once() -> None:
    program = parse_program(COUNTING.format(count=0), "k.s")
    tracemalloc.start()
    try:
        with allowing(Budget(instructions=320_000)), pytest.raises(LimitExceeded):
            emulate(program, Launch((), 64), load_machine("gfx942"))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 20_000 * 100  # 20,000 passes at less than a hundred bytes each, all else included
