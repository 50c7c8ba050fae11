"""The command: a better kernel that stands on its own, the same bytes each time, clear refusals."""

from __future__ import annotations

import json
import signal
import subprocess
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result
from reorders import ROOT, call, prepared, written

from wavesim.asm.tools import find_tool
from wavesim.cli.main import cli
from wavesim.emulate.run import emulate
from wavesim.errors import UserError
from wavesim.front.launch.file import read_launch
from wavesim.front.launch.write import launch_text
from wavesim.pipeline.run import RunOptions, prepare, run_kernel
from wavesim.program import Program
from wavesim.report.text.tuning import tuning_lines
from wavesim.tuning.pace import loop_clk
from wavesim.tuning.parts import unrotated
from wavesim.tuning.state import Progress, State
from wavesim.tuning.tune import RESERVED, TuneOptions, tune_kernel

EIGHT = ROOT / "kernels/8wave.yaml"
SMALL = ("--set", "K=512", "--candidates", "400")


def wavesim(*words: object) -> Result:
    return CliRunner().invoke(cli, [str(word) for word in words])


@pytest.fixture(scope="module")
def tuned(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result]:
    folder = tmp_path_factory.mktemp("tuned")
    words = "-o", folder / "best.s", "--diff", folder / "best.diff", "--json", folder / "best.json"
    return folder, wavesim("tune", EIGHT, *SMALL, *words)


def test_the_half_split_gets_faster_at_every_latency(tuned: tuple[Path, Result]) -> None:
    _, result = tuned
    assert result.exit_code == 0, result.output
    rows = [line.split() for line in result.output.splitlines() if "x memory latency" in line]
    for row in rows:
        before, after, bound = (float(row[n].replace(",", "")) for n in (-4, -3, -1))
        assert bound <= after < 0.8 * before
    for word in ("memory_in_flight", "proven", "barrier 2 of 2", "waits:"):
        assert word in result.output


def test_what_it_writes_is_a_kernel_of_its_own(tuned: tuple[Path, Result]) -> None:
    folder, _ = tuned
    checked = wavesim("check", folder / "best.s")
    assert checked.exit_code == 0
    assert "clean" in checked.output
    compared = wavesim("compare", EIGHT, folder / "best.s", "--json")
    first, second = json.loads(compared.output)["kernels"]
    assert second["clk_per_iteration"] < first["clk_per_iteration"]
    assert (folder / "best.diff").read_text().startswith("--- half_split as it was\n+++ half_split tuned\n")


def test_what_it_writes_assembles(tuned: tuple[Path, Result]) -> None:
    folder, _ = tuned
    try:
        tool = find_tool("llvm-mc", "gfx942")
    except UserError:
        pytest.skip("no llvm-mc")
    words = ("-triple=amdgcn-amd-amdhsa", "-mcpu=gfx942", "-filetype=obj", "-o", folder / "best.o")
    subprocess.run([str(tool), *words, folder / "best.s"], check=True)


def test_the_same_seed_and_candidates_give_the_same_bytes(tuned: tuple[Path, Result]) -> None:
    folder, result = tuned
    again = wavesim("tune", EIGHT, *SMALL, "-o", folder / "again.s")
    assert again.stdout == result.stdout
    assert (folder / "again.s").read_bytes() == (folder / "best.s").read_bytes()


def test_a_kernel_without_arguments_keeps_its_workgroup(root: Path, tmp_path: Path) -> None:
    """No launch file says it then, so the assembly does."""
    output = tmp_path / "out.s"
    kernel = root / "kernels" / "lessons" / "strong_wait.s"
    call("tune", kernel, "--candidates", 20, "-o", output)
    assert not output.with_suffix(".launch.yaml").exists()
    kernel_again, _ = prepare(output, RunOptions())
    assert kernel_again.launch.workgroup_size == 256


def test_json_has_the_same_figures(tuned: tuple[Path, Result]) -> None:
    found = json.loads((tuned[0] / "best.json").read_text())
    assert found["better"]
    assert found["bound"] == "memory_in_flight"
    for row in found["clk_per_iteration"]:
        assert f"{row['before']:,.1f}" in tuned[1].output
        assert f"{row['after']:,.1f}" in tuned[1].output


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("kernels/wrong/lds-race.s",), 1, "this kernel is wrong as it is: lds-race"),
        (("kernels/lessons/one_read.s", "--block", "64"), 2, "no loop was executed"),
        (("kernels/8wave.yaml", "--set", "K=256", "--loop", "nix"), 2, "no loop at 'nix'"),
        (("kernels/8wave.yaml", "--change", "colour"), 2, "no search changes 'colour'"),
        (("kernels/8wave.yaml", "--change", ","), 2, "nothing may change"),
    ],
)
def test_what_cannot_be_tuned_is_refused(words: tuple[str, ...], code: int, said: str) -> None:
    with pytest.raises(UserError, match=said) as refused:
        call("tune", ROOT / words[0], *words[1:])
    assert refused.value.exit_code == code


def wrong(folder: Path) -> Path:
    """The half-split without the barrier at the end of a K step: a race."""
    path = folder / "racy.s"
    assert wavesim("lower", ROOT / "kernels/lessons/weak_waits.s", "-o", path).exit_code == 0
    (folder / "racy.launch.yaml").write_text("workgroup: 64\narguments: {}\n")
    return path


def test_a_wrong_kernel_is_scheduled_by_force_only_and_marked(tmp_path: Path) -> None:
    path = wrong(tmp_path)
    with pytest.raises(UserError, match="wrong as it is"):
        call("tune", path)
    out = tmp_path / "out.s"
    forced = wavesim("tune", path, "--force", "--candidates", 20, "-o", out)
    assert forced.exit_code == 0
    assert "FORCED: this kernel is wrong as it is" in forced.output
    assert "FORCED" in out.read_text().splitlines()[1]


@pytest.mark.parametrize("name", ["8wave.yaml", "fp8_triple_buffer.yaml", "triton/matmul_gfx942.s"])
def test_a_launch_written_reads_back(name: str, tmp_path: Path) -> None:
    launch = prepare(ROOT / "kernels" / name, RunOptions())[0].launch
    path = tmp_path / "k.launch.yaml"
    path.write_text(launch_text(launch))
    again = read_launch(path, {})
    assert launch_text(again) == launch_text(launch)
    assert again.expect == launch.expect
    assert again.machine_overrides == launch.machine_overrides


def executed(program: Program, path: Path) -> Counter[str]:
    """How often the wave executes each opcode, but for branches, waits and s_nop."""
    kernel, machine = prepare(path, RunOptions())
    trace = emulate(program, kernel.launch, machine).trace
    opcodes = [trace.code[index].instruction.opcode for index in trace.waves[0].code.tolist()]
    return Counter(each for each in opcodes if not each.startswith(("s_cbranch", "s_waitcnt", "s_nop")))


@pytest.mark.parametrize("passes", [1, 2, 3])
def test_a_rotated_loop_makes_as_many_passes(tmp_path: Path, passes: int) -> None:
    """Its guard goes past the loop where there is but one."""
    text = (ROOT / "kernels/lessons/strong_wait.s").read_text()
    few = written(tmp_path, text.replace("s_mov_b32 s0, 8", f"s_mov_b32 s0, {passes}"))
    program = prepare(few, RunOptions())[0].program
    _, variants = prepared("lessons/strong_wait.s", {})
    assert len(variants) > 1
    for variant in variants[1:]:
        rotated = variant.recipe(variant.as_it_is).applied(program)
        assert len(rotated) > len(program)
        assert executed(rotated, few) == executed(program, few)


def test_a_search_that_is_stopped_proves_the_best_so_far() -> None:
    states = []
    wanted = TuneOptions(minutes=None, candidates=100_000)
    found = tune_kernel(
        EIGHT,
        RunOptions(settings={"K": "512"}),
        wanted,
        states.append,
        lambda: any(state.stage == "annealing" for state in states),
    )
    assert found.stopped
    assert found.better
    assert found.tried < 5_000
    assert states[-1].stage == "proof"


def test_the_first_interrupt_stops_the_search_and_the_second_ends_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Before there is a candidate to prove, the first one ends all."""
    seen = []

    def search(
        path: Path, options: object, wanted: object, emit: None, progress: Progress, stop: Callable[[], bool]
    ) -> None:
        seen.append(stop())
        progress(State("lists", 2.0, 1.0, 1.0, "mfma", 1, 1.0, "as it is"))
        signal.raise_signal(signal.SIGINT)
        seen.append(stop())
        signal.raise_signal(signal.SIGINT)

    def execution(path: Path, *others: object) -> None:
        signal.raise_signal(signal.SIGINT)
        seen.append("went on")

    for fake in (search, execution):
        monkeypatch.setattr("wavesim.tuning.whole.tune_with_hints", fake)
        with pytest.raises((KeyboardInterrupt, click.Abort)):
            cli.main(["tune", str(EIGHT)], standalone_mode=False)
    assert seen == [False, True]


def test_an_unrotated_order_keeps_every_dependence() -> None:
    """It is the rotated one's, with what ran a pass ahead first, as far as the dependences allow."""
    _, (base, *turned) = prepared("lessons/strong_wait.s", {})
    for variant in turned:
        order = unrotated(base, variant, variant.as_it_is)
        assert sorted(order) == base.as_it_is
        assert base.scheduler.order.broken(order) is None


def test_what_each_kind_of_change_is_worth(tuned: tuple[Path, Result]) -> None:
    """The half-split without its rotation is slower than with it, and not faster than before."""
    found = json.loads((tuned[0] / "best.json").read_text())
    after = found["clk_per_iteration"][1]["after"]
    assert set(found["shares"]) >= {"waits", "order", "rotation"}
    for share in found["shares"].values():
        assert share["without"] == pytest.approx(after + share["lost"])
    assert found["shares"]["rotation"]["lost"] > 0  # how much: the shifted barriers do part of its work
    assert found["shares"]["order"]["lost"] > 100


POLLING = """polling:
\tv_mov_b32_e32 v6, 0
\tv_mov_b32_e32 v5, 1
\tv_lshrrev_b32_e32 v4, 6, v0
\ts_nop 0
\tv_readfirstlane_b32 s8, v4
\tds_write_b32 v6, v6
\ts_waitcnt lgkmcnt(0)
\ts_barrier
\ts_cmp_eq_u32 s8, 0
\ts_cbranch_scc1 .Lturns
\tds_write_b32 v6, v5
\ts_endpgm
.Lturns:
\ts_mov_b32 s10, 3
.Lturn:
.Lpoll:
\tds_read_b32 v7, v6
\ts_waitcnt lgkmcnt(0)
\tv_readfirstlane_b32 s9, v7
\ts_cmp_eq_u32 s9, 1
\ts_cbranch_scc0 .Lpoll
\ts_sub_u32 s10, s10, 1
\ts_cmp_lg_u32 s10, 0
\ts_cbranch_scc1 .Lturn
\ts_endpgm
\t.amdhsa_kernel polling
\t\t.amdhsa_group_segment_fixed_size 256
\t\t.amdhsa_next_free_vgpr 8
\t\t.amdhsa_next_free_sgpr 16
\t\t.amdhsa_accum_offset 8
\t.end_amdhsa_kernel
"""


def test_a_loop_that_polls_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "polling.s"
    path.write_text(POLLING)
    words = ["tune", str(path), "--arch", "gfx942", "--block", "128"]
    with pytest.raises(UserError, match=r"the loop at \.Lturn .*polls memory") as refused:
        call(*words)
    assert refused.value.exit_code == 2


@pytest.mark.parametrize("candidates", [1, 2, 5, 30, 60])
def test_no_more_candidates_are_tried_than_were_given(candidates: int) -> None:
    wanted = TuneOptions(minutes=None, candidates=candidates)
    found = tune_kernel(ROOT / "kernels/lessons/strong_wait.s", RunOptions(), wanted)
    assert 0.8 * candidates - RESERVED <= found.tried <= candidates


def test_a_device_is_scored_with_the_latencies_that_are_predicted_for_it() -> None:
    """Those of an MI300X's whole dispatch, as run has them: far above the data sheet's."""
    settings, wanted = {"K": "256"}, TuneOptions(minutes=None, candidates=40)
    device = RunOptions(arch="MI300X", settings=settings)
    found = tune_kernel(EIGHT, device, wanted)
    predicted = loop_clk(run_kernel(EIGHT, device))
    assert [each / found.unroll for each in found.before_clk] == pytest.approx(predicted)
    assert predicted > loop_clk(run_kernel(EIGHT, RunOptions(arch="gfx942", settings=settings)))
    assert found.latencies == pytest.approx((1 / 1.1, 1, 1 / 0.9))  # the interval of a prediction is 10 %
    slow, fast = found.before_clk[2], found.before_clk[0]
    assert slow > 1.05 * found.before_clk[1] > 1.1 * fast
    kernel, machine = prepare(EIGHT, device)
    anew = run_kernel(EIGHT, device, prepared=(replace(kernel, program=found.program), machine))
    assert found.better
    assert found.anew_clk == pytest.approx(loop_clk(anew)[1] * found.unroll)
    said = f"memory predicted anew for the schedule: {found.anew_clk / found.unroll:,.1f} clk"
    text = "\n".join(tuning_lines(found))
    assert said in text
    assert "  0.91 x predicted memory" in text
