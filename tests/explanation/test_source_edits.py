"""Advice for HIP sources: where builtins go, and what clang makes of them is what is promised."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wavesim.asm.compile import find_compiler
from wavesim.asm.tools import MissingTool
from wavesim.explanation.advice import Bench
from wavesim.explanation.builtins import source_edits
from wavesim.explanation.executed import try_text
from wavesim.explanation.explanation import Explanation, explain_run
from wavesim.explanation.pace import timed
from wavesim.explanation.patch import patch_files
from wavesim.explanation.text_candidate import TextCandidate
from wavesim.front.hip_lines import chains_of
from wavesim.front.hip_statements import around, neighbours, runs_of, statement_at, swapped
from wavesim.front.launch.file import LaunchOptions
from wavesim.pipeline.run import Run, RunOptions, run_kernel

ROOT = Path(__file__).resolve().parents[2]
HIP = ROOT / "kernels/hip/8wave.hip"
PLAIN = RunOptions(
    settings={"memory.latency_clk": "500", "K": "512"},
    launch=LaunchOptions(compile_flags=("-DPHASE()=",)),
)

SOURCE = """void kernel(int n) {
  *p = load(n);  // one
  *q = 2;
  #pragma unroll
  for (int i = 0; i < 4; i++)
    for (int j = 0; j < 4; j++) { mfma(i); }
  do { wait(); } while (n--);
  if (n) a(); else { b(); }
  barrier();
}
"""


@pytest.mark.parametrize(
    ("word", "statement"),
    [
        ("load", "*p = load(n);"),
        ("n);", "*p = load(n);"),
        ("for (int j", SOURCE[SOURCE.index("#pragma") : SOURCE.index("  do {") - 1]),
        ("mfma", "mfma(i);"),
        ("do {", "do { wait(); } while (n--);"),
        ("if (n)", "if (n) a(); else { b(); }"),
        ("barrier", "barrier();"),
    ],
)
def test_a_place_is_in_a_statement(word: str, statement: str) -> None:
    found = statement_at(SOURCE, SOURCE.index(word))
    assert found is not None
    assert SOURCE[found.begin : found.end] == statement


@given(st.text('a;{}()\n */#"do ', max_size=60), st.integers(0, 60))
def test_no_text_is_too_odd(text: str, place: int) -> None:
    found = statement_at(text, place)
    assert found is None or 0 <= found.begin < found.end <= len(text)


def test_builtins_go_around_neighbours_as_one() -> None:
    places = [statement_at(SOURCE, SOURCE.index(word)) for word in ("load", "*q = 2")]
    (run,) = runs_of(SOURCE, [each for each in places if each is not None])
    text = around(SOURCE, [run], "up();", "down();")
    assert text == SOURCE.replace("  *p", "  up();\n  *p").replace("= 2;\n", "= 2;\n  down();\n")


def test_neighbours_change_places_with_what_is_said_of_them() -> None:
    one = statement_at(SOURCE, SOURCE.index("load"))
    assert one is not None
    before, behind = neighbours(SOURCE, one)
    assert before is None
    assert behind is not None
    assert "  *q = 2;\n  *p = load(n);  // one\n  #pragma" in swapped(SOURCE, one, behind)


def test_a_line_of_assembly_knows_all_functions_that_it_was_inlined_through() -> None:
    told = "; a b.hip:105:9 @[ a b.hip:115:30 @[ k.h:7:1 ] ]"
    chains = chains_of(f"\t.loc\t0 105 9 is_stmt 1  {told}\n\ts_nop 0\n\t.loc\t0 0 0\n")
    assert [(each.file, each.line) for each in chains[1]] == [("k.h", 7), ("a b.hip", 115), ("a b.hip", 105)]
    assert chains[2] == ()


@cache
def plain() -> tuple[Run, Explanation]:
    try:
        find_compiler("gfx942")
    except MissingTool as error:
        pytest.skip(str(error))
    run = run_kernel(HIP, PLAIN)
    return run, explain_run(run, HIP, PLAIN)


def test_what_is_offered_gains_as_compiled_and_is_written_as_hip(tmp_path: Path) -> None:
    run, found = plain()
    offered = [each for each in found.advice if each.source is not None]
    assert {"sched-group-barrier", "setprio"} <= {each.kind for each in offered}
    for advice in offered:
        assert advice.patch is not None
        assert not advice.patch.why_assembly
        assert advice.spans[0].file == str(HIP)
        for path, text in patch_files(advice.patch, run.kernel, tmp_path / f"{advice.name}.hip"):
            path.write_text(text)
        again = run_kernel(path, PLAIN)
        assert again.numerics.ok
        assert again.analysis.loop is not None
        assert again.analysis.loop.clk_per_iteration == pytest.approx(advice.clk)
        assert advice.clk <= found.pace_clk - 4
        assert again.analysis.clk_total <= run.analysis.clk_total


def test_what_gains_nothing_as_compiled_is_not_offered() -> None:
    """The barrier one statement earlier is tried, and slower."""
    run, found = plain()
    tried = list(source_edits(run, HIP, PLAIN))
    assert [each.lines for each in tried if each.kind == "source-barrier"] == [(134, 133)]
    assert not any(each.kind == "source-barrier" for each in found.advice)


def test_an_edit_that_makes_a_race_is_not_offered() -> None:
    """Without the barrier of its loop the kernel is faster, and wrong."""
    run, _ = plain()
    text = HIP.read_text().replace("  barrier();\n}", "}")
    bench = Bench.of(run, *timed(run))
    trial = try_text(bench, HIP, TextCandidate("source-barrier", "", (1,), text, builtins=True), PLAIN)
    assert trial.pace is not None
    assert bench.gains(trial.pace)
    assert trial.advice is None
