"""Builtins for clang's scheduler: where they go, which sequences there are, what comes of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reorders import ROOT, call

from wavesim.asm.compile import find_compiler
from wavesim.asm.tools import MissingTool
from wavesim.errors import UserError
from wavesim.front.hip_groups import (
    Group,
    alike,
    arrangements,
    changed_a_little,
    groups_of,
    merged,
    shaped,
)
from wavesim.front.hip_loops import loop_at, loops_of, with_at_end
from wavesim.isa.kinds import Kind

HIP = ROOT / "kernels/hip/8wave.hip"
KINDS = [*[Kind.LDS_WRITE] * 4, *[Kind.VMEM_LOAD] * 4, *[Kind.LDS_READ] * 12, *[Kind.MFMA] * 32]

SOURCE = r"""// for (;;) { not this one
#define LOOP for (;;) {
const char *text = "while (1) {";
void kernel(int n) {
  for (int i = 0; i < n; i++) {
    a(i);  // first }
    do { b(i); } while (i < 3);
  }
  while (n--)
    c("}", '{', f(n));
}
"""


@pytest.mark.parametrize(
    ("line", "column", "begins"),
    [(5, 3, "for (int"), (6, 5, "for (int"), (7, 10, "do {"), (9, 0, "while (n--)"), (10, 5, "while (n--)")],
)
def test_a_place_is_in_its_innermost_loop(line: int, column: int, begins: str) -> None:
    found = loop_at(SOURCE, line, column)
    assert found is not None
    assert SOURCE[found.begin :].startswith(begins)


def test_comments_strings_and_macros_have_no_loops() -> None:
    begin = [SOURCE[each.begin :].split("(")[0].split()[0] for each in loops_of(SOURCE)]
    assert begin == ["for", "do", "while"]
    assert loop_at(SOURCE, 4, 1) is None
    assert loop_at(SOURCE, 99, 1) is None


@pytest.mark.parametrize(
    ("line", "ends"),
    [
        (5, "while (i < 3);\n    x();\n    y();\n  }\n"),
        (7, "b(i);\n      x();\n      y();\n    } while"),
        (9, " {\n    c(\"}\", '{', f(n));\n    x();\n    y();\n  }\n"),
    ],
)
def test_statements_go_to_the_end_of_the_body(line: int, ends: str) -> None:
    loop = loop_at(SOURCE, line, 6)
    assert loop is not None
    assert ends in with_at_end(SOURCE, loop, ["x();", "y();"])


def count(groups: tuple[Group, ...], kind: Kind) -> int:
    return sum(each.size for each in groups if each.kind is kind)


def test_every_shape_asks_for_what_the_loop_has() -> None:
    """Of each kind that it speaks of, and never more."""
    for shape in [each for first in arrangements(KINDS) for each in alike(first)]:
        found = shaped(KINDS, shape)
        assert count(found, Kind.MFMA) == 32
        assert count(found, Kind.LDS_READ) == 12
        assert count(found, Kind.LDS_WRITE) in (0, 4)
        assert found == merged(found)


@given(st.randoms(use_true_random=False), st.integers(1, 30))
def test_a_changed_sequence_asks_for_as_much(generator: object, steps: int) -> None:
    groups = groups_of(KINDS)
    for _ in range(steps):
        groups = changed_a_little(groups, generator)  # type: ignore[arg-type]
    assert all(count(groups, kind) == KINDS.count(kind) for kind in set(KINDS))
    assert groups == merged(groups)


def needs_compiler() -> None:
    try:
        find_compiler("gfx942")
    except MissingTool as error:
        pytest.skip(str(error))


PLAIN = ("-D", "PHASE()=", "--set", "memory.latency_clk=500", "--set", "K=768")


def test_what_clang_makes_of_the_builtins_is_faster_and_proven(tmp_path: Path) -> None:
    needs_compiler()
    out, report, diff = (tmp_path / name for name in ("best.hip", "a.json", "a.diff"))
    words = ("--change", "waits", "--candidates", 8, "--emit", "sched-group-barrier", "-o", out)
    text = call("tune", HIP, *PLAIN, *words, "--json", report, "--diff", diff)
    found = json.loads(report.read_text())["sched_group_barrier"]
    assert "proven: compiled with them" in text
    assert found["reason"] is None
    for row in found["clk_per_iteration"]:
        assert row["bound"] <= row["after"] <= row["before"]
    assert out.read_text().count("sched_group_barrier") == len(found["groups"])
    assert diff.read_text().count("\n+    __builtin_amdgcn_sched_group_barrier") == len(found["groups"])
    one, two = json.loads(call("compare", HIP, out, *PLAIN, "--json"))["kernels"]
    assert two["clk_per_iteration"] < 0.97 * one["clk_per_iteration"]


def test_the_plain_half_split_of_clang_loses_a_fifth_of_its_clocks(shared: Path, tmp_path: Path) -> None:
    """The first regular sequence does it: writes, loads, then 4 reads and 8 MFMA in turn."""
    needs_compiler()
    kernel = tmp_path / "gemm8.hip"
    kernel.write_text((shared / "examples/gemm8.hip").read_text())
    (tmp_path / "gemm8.launch.yaml").write_text(
        "workgroup: 512\nconstants: {K: 1024}\narguments:\n  A: bf16[128,K]:random\n  B: bf16[128,K]:random\n"
        "  C: f32[128,128]:unwritten\n  N: i32:128\n  K: K\nexpect: C = A @ B.T\n"
        "memory: {latency_clk: stream}\n"
    )
    words = ("-D", "ASM_READ=0", "--change", "waits", "--candidates", 4, "--emit", "sched-group-barrier")
    report = tmp_path / "a.json"
    call("tune", kernel, *words, "--json", report)
    found = json.loads(report.read_text())["sched_group_barrier"]
    at_one = found["clk_per_iteration"][1]
    assert at_one["after"] <= 0.81 * at_one["before"]
    assert found["reason"] is None


def test_a_loop_that_a_macro_makes_is_not_found_and_the_order_is_told(tmp_path: Path) -> None:
    needs_compiler()
    kernel = tmp_path / "k.hip"
    text = HIP.read_text()
    assert text.count("  do {\n") == 1
    kernel.write_text("#define LOOP do\n" + text.replace("  do {\n", "  LOOP {\n"))
    (tmp_path / "k.launch.yaml").write_text(HIP.with_suffix(".launch.yaml").read_text())
    words = ("--change", "waits", "--candidates", 4, "--emit", "sched-group-barrier", "--set", "K=512")
    text = " ".join(call("tune", kernel, *words).split())
    assert "was not found in the source" in text
    assert "by hand: where a pass of the schedule found has its accesses" in text


def test_without_a_source_the_found_order_is_told(tmp_path: Path) -> None:
    report = tmp_path / "a.json"
    words = ("--candidates", 4, "--emit", "sched-group-barrier", "--json", report)
    text = " ".join(call("tune", ROOT / "kernels/lessons/strong_wait.s", *words).split())
    assert "is no HIP source: nothing was compiled" in text
    assert "__builtin_amdgcn_sched_group_barrier(0x8, " in text
    assert "MFMA: ds_read_b64 v[4:5], v0 (line 24)" in text.replace("MFMA 1:", "MFMA:")
    found = json.loads(report.read_text())["sched_group_barrier"]
    assert sum(each["size"] for each in found["groups"] if each["kind"] == "mfma") == 8
    assert found["clk_per_iteration"] == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("kernels/8wave.yaml", "-o", "best.hip"), "is no HIP source"),
        (("kernels/hip/8wave.hip", "-o", "best.hip"), "a schedule is assembly"),
    ],
)
def test_a_source_is_written_only_where_there_is_one(words: tuple[str, ...], said: str) -> None:
    with pytest.raises(UserError, match=said):
        call("tune", ROOT / words[0], *words[1:])
