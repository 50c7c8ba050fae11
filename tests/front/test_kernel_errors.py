"""Kernel files that have no meaning are refused with file, line and what is right; never a traceback."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wavesim.errors import LimitExceeded, UserError
from wavesim.front.launch.model import LoadedKernel
from wavesim.front.tile.load import load_tile_program
from wavesim.isa.paths import data_dir

GOOD = """\
constants: {M: 128, K: 64, T: 3}
workgroup: {waves: 2}
memory:
  A: {type: bf16, rows: M, cols: K}
  C: {type: f32, rows: M, cols: M, init: unwritten}
lds:
  As: {type: bf16, rows: 32, cols: 32}
  Fl: {type: i32, rows: 1, cols: 4}
loads:
  la: {from: A, to: As, row: 0}
fragments:
  a: {rows: 16, cols: 32}
  b: {rows: 16, cols: 32, count: 2}
accumulators:
  c: {rows: 16, cols: 16}
macros:
  twice:
  - {copy: x, to: a}
mfma: 16x16x16
program:
- {lds_read: a, from: As, row: wave * 16, width: b64}
- {lds_read: "b[1]", from: As, width: b64}
- wait: {lgkmcnt: 0}
- {mfma: c, a: a, b: "b[1]"}
- {store: c, to: C, row: 0, col: 0}
launch:
  grid: [1, 1]
"""


def load(text: str, arch: str = "gfx942", **constants: str) -> LoadedKernel:
    return load_tile_program(Path("k.yaml"), arch, constants, text)


def test_the_good_one_loads() -> None:
    assert load(GOOD).name == "k"
    assert not load(GOOD).findings


CHANGES = [
    # what is written instead of what, the line of the message, its words
    ("workgroup:", "workgrup:", 2, "unknown key 'workgrup'"),
    ("{waves: 2}", "{waves: two}", 2, "unknown name 'two'"),
    ("{waves: 2}", "{waves: 99}", 2, "from 1 to 16"),
    ("{waves: 2}", "{waves: 2, warps: 3}", 2, "unknown key 'warps'"),
    ("{waves: 2}", "{waves: [2]}", 2, "must be a whole number or an expression, not a list"),
    ("{waves: 2}", "{waves: 2.5}", 2, "must be a whole number or an expression, not a number"),
    ("{waves: 2}", "2", 2, "workgroup must be a mapping"),
    ("T: 3", "T: 3, wave: 2", 1, "run-time variable"),
    ("T: 3", "T: 1 +", 1, "cannot be read"),
    ("T: 3", "T: wave", 1, "unknown name 'wave'"),
    ("T: 3", "T: 3, T: 4", 1, "duplicate key"),
    ("type: bf16, rows: M", "type: bf17, rows: M", 4, "one of bf16"),
    ("rows: M, cols: K", "rows: 1 << 20, cols: 1 << 20", 4, "at most 4 GiB"),
    ("{type: bf16, rows: M, cols: K}", "{type: bf16, cols: K}", 4, "rows: is missing"),
    (
        "rows: 32, cols: 32}",
        "rows: 32, cols: 32, swizzle: {unit_bytes: 3, rows: 8}}",
        7,
        "unit_bytes 4, 8 or 16",
    ),
    ("row: 0}", "row: 0, threads: 100}", 10, "the threads must make whole rows"),
    ("row: 0}", "row: 0, to: Bs}", 10, "duplicate key"),
    ("to: As, row: 0", "to: Bs, row: 0", 10, "no LDS buffer 'Bs'"),
    ("a: {rows: 16, cols: 32}", "a: {rows: 17, cols: 32}", 12, "rows a multiple of 16"),
    ("c: {rows: 16, cols: 16}", "a: {rows: 16, cols: 16}", 15, "a is a fragment already"),
    ("c: {rows: 16, cols: 16}", "c: {rows: 16, cols: 16, registers: sgpr}", 15, "one of vgpr, agpr"),
    ("mfma: 16x16x16", "mfma: 16x16x17", 19, "16x16x17"),
    ("mfma: 16x16x16", "mfma: 16x16x32", 19, "on gfx942"),
    ("mfma: 16x16x16", "mfma: big", 19, "widest, widest32"),
    ("- wait: {lgkmcnt: 0}", "- wait: {lgkmcnt: 16}", 23, "from 0 to 15"),
    ("- wait: {lgkmcnt: 0}", "- wait: {lgkm: 0}", 23, "unknown key 'lgkm'"),
    ("- wait: {lgkmcnt: 0}", "- wait: {}", 23, "names no counter"),
    ("- wait: {lgkmcnt: 0}", "- barier", 23, "statement 'barier'"),
    ("- wait: {lgkmcnt: 0}", "- {barrier: , wait: {lgkmcnt: 0}}", 23, "this has barrier and wait"),
    ("- wait: {lgkmcnt: 0}", "- 5", 23, "a statement must be a mapping"),
    ("- wait: {lgkmcnt: 0}", "- priority: 4", 23, "from 0 to 3"),
    ("- wait: {lgkmcnt: 0}", "- {use: thrice}", 23, "no macro 'thrice'"),
    ("- wait: {lgkmcnt: 0}", "- {use: twice}", 18, "no fragment 'x'"),
    (
        "- wait: {lgkmcnt: 0}",
        "- {loop: t, from: 0, to: T, unroll: 5000, body: [barrier]}",
        23,
        "at most 4096",
    ),
    ("- wait: {lgkmcnt: 0}", "- {for: t, from: 0, to: 5000, body: [barrier]}", 23, "at most 4096"),
    ("- wait: {lgkmcnt: 0}", "- {loop: K, from: 0, to: T, body: [barrier]}", 23, "K is taken already"),
    ("- wait: {lgkmcnt: 0}", "- {loop: t, from: 0, to: wave, body: [barrier]}", 23, "known before the run"),
    (
        "- wait: {lgkmcnt: 0}",
        '- {loop: t, from: 0, to: T, body: [{swap: ["b[0]", "b[1]"]}]}',
        23,
        "not back in place",
    ),
    ("- wait: {lgkmcnt: 0}", "- {if: lane < 3, then: [barrier]}", 23, "all lanes of a wave"),
    ("- wait: {lgkmcnt: 0}", "- {if: wave < 1, then: [{swap: [a, 'b[1]']}]}", 23, "swap"),
    ("- wait: {lgkmcnt: 0}", "- {copy: 'b[wave]', to: a}", 23, "unroll the loop"),
    ("- wait: {lgkmcnt: 0}", "- {spin: As, until: 1}", 23, "flags are i32"),
    ("- wait: {lgkmcnt: 0}", "- {raw: [v_mov_b33 v0, v1]}", 23, "v_mov_b33"),
    ("- wait: {lgkmcnt: 0}", "- {raw: ['v_mov_b32 v1, {zz}']}", 23, "zz"),
    ("row: wave * 16, width: b64", "row: wave * 16, width: b65", 21, "one of b32, b64, b128"),
    ("row: wave * 16, width: b64", "row: lane / 3, width: b64", 21, "only powers of two"),
    ("from: As, width: b64", "from: As, width: b32", 24, "read both with one width"),
    ("from: As, width: b64", "from: As, col: 4 ** 2, width: b64", 22, "not an integer expression"),
    ('b: "b[1]"', 'b: "b[1"', 24, "not a name"),
    ("store: c, to: C", "store: c, to: A", 25, "results are f32"),
    ("store: c, to: C, row: 0", "store: c, to: C, row: lane", 25, "all lanes of a wave"),
    ("grid: [1, 1]", "grid: [1, 1, 1]", 27, "two: grid: [x, y]"),
    ("grid: [1, 1]", "grid: [1, 1]\n  position: [2, 0]", 28, "in a grid of 1"),
    ("grid: [1, 1]", "grid: [1, 1]\n  machine: {latency: 3}", 28, "unknown key 'latency'"),
    ("grid: [1, 1]", "grid: [1, 1]\n  expect: {result: C, left: A, right: C}", 28, "is not 128x128"),
    ("workgroup: {waves: 2}", "arch: gfx11\nworkgroup: {waves: 2}", 2, "unknown architecture 'gfx11'"),
    ("workgroup: {waves: 2}", "include: gone.yaml\nworkgroup: {waves: 2}", 2, "no such file 'gone.yaml'"),
    ("workgroup: {waves: 2}", "include: /etc/passwd\nworkgroup: {waves: 2}", 2, "a path relative"),
    ("constants:", "kernel: two words\nconstants:", 1, "kernel: 'two words'"),
    ("workgroup: {waves: 2}", "require: [K % 64 == 1]\nworkgroup: {waves: 2}", 2, "here K = 64"),
    ("workgroup: {waves: 2}", "require: [wave < 3]\nworkgroup: {waves: 2}", 2, "unknown name 'wave'"),
    ("workgroup: {waves: 2}", "require: K\nworkgroup: {waves: 2}", 2, "must be a list"),
    ("fragments:", "values: {K: 3}\nfragments:", 11, "K is taken already"),
]


@pytest.mark.parametrize(("old", "new", "line", "words"), CHANGES, ids=[change[1][:40] for change in CHANGES])
def test_refused_with_place(old: str, new: str, line: int, words: str) -> None:
    assert old in GOOD
    with pytest.raises(UserError) as caught:
        load(GOOD.replace(old, new, 1))
    error = caught.value
    assert error.span is not None
    assert (error.span.file, error.span.line) == ("k.yaml", line), str(error)
    assert words in str(error)


@pytest.mark.parametrize("missing", ["workgroup", "program", "launch"])
def test_what_every_kernel_needs(missing: str) -> None:
    import yaml

    data = yaml.safe_load(GOOD)
    del data[missing]
    with pytest.raises(UserError, match=rf"k\.yaml.*{missing}: is missing"):
        load(yaml.safe_dump(data, sort_keys=False))


@pytest.mark.parametrize(
    "text", ["", "5", "[]", "a: [", "program: 3", "- 1\n- 2", "{}", "\x00", "a: !!python/x 1"]
)
def test_files_that_are_no_kernel(text: str) -> None:
    with pytest.raises(UserError, match=r"k\.yaml"):
        load(text)


def test_settings() -> None:
    assert load(GOOD, K="128").launch.matrix("A").cols == 128
    assert load(GOOD, K="2 * 64").launch.matrix("A").cols == 128
    load(GOOD, **{"memory.latency_clk": "800"})
    with pytest.raises(UserError, match="no constant 'Q'"):
        load(GOOD, Q="1")
    with pytest.raises(UserError, match="--set K=many"):
        load(GOOD, K="many")
    with pytest.raises(UserError, match="unknown architecture 'gfx1100'"):
        load(GOOD, "gfx1100")


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such file"):
        load_tile_program(tmp_path / "none.yaml", None)
    with pytest.raises(UserError, match="cannot be read"):
        load_tile_program(tmp_path, None)


def test_includes(tmp_path: Path) -> None:
    head, tail = GOOD.split("program:")
    (tmp_path / "part.yaml").write_text(head)
    (tmp_path / "k.yaml").write_text("include: part.yaml\nconstants: {K: 96}\nprogram:" + tail)
    assert load_tile_program(tmp_path / "k.yaml", None).launch.matrix("A").cols == 96
    (tmp_path / "one.yaml").write_text("kernel: one\ninclude: [part.yaml, two.yaml]\n")
    (tmp_path / "two.yaml").write_text("\ninclude: one.yaml\n")
    with pytest.raises(
        UserError, match=r"two.yaml:2:.*goes round in a circle: one.yaml -> two.yaml -> one.yaml"
    ):
        load_tile_program(tmp_path / "one.yaml", None)
    (tmp_path / "self.yaml").write_text("include: self.yaml\n")
    with pytest.raises(UserError, match=r"self.yaml:1:.*circle"):
        load_tile_program(tmp_path / "self.yaml", None)


def test_faults_of_real_kernels_are_findings() -> None:
    big = GOOD.replace("rows: 32, cols: 32}", "rows: 32, cols: 32, stages: 64}", 1)
    assert [each.rule for each in load(big).findings] == ["lds-overflow"]
    assert not load(big, "gfx950").findings
    wide = GOOD.replace("c: {rows: 16, cols: 16}", "c: {rows: 16, cols: 16}\n  d: {rows: 256, cols: 256}")
    assert [each.rule for each in load(wide).findings] == ["register-overflow"]
    index = GOOD.replace('b: "b[1]"', 'b: "b[2]"')
    (finding,) = load(index).findings
    assert finding.rule == "register-index"
    assert finding.spans[0].line == 24


def test_more_workgroups_than_fit() -> None:
    big = GOOD.replace("rows: 32, cols: 32}", "rows: 32, cols: 32, stages: 20}", 1)
    assert not load(big).findings
    more = big.replace("grid: [1, 1]", "grid: [1, 2]\n  workgroups_per_cu: 2")
    (finding,) = load(more).findings
    assert finding.rule == "occupancy"
    assert finding.is_bad
    assert not load(more, "gfx950").findings


def test_endless_macros_stop() -> None:
    text = GOOD.replace("- {copy: x, to: a}", "- {use: twice}").replace(
        "- wait: {lgkmcnt: 0}", "- {use: twice}"
    )
    with pytest.raises(UserError, match="inside itself"):
        load(text)


def test_too_many_instructions_stop() -> None:
    nest = "{for: q, from: 0, to: 4000, body: [{for: r, from: 0, to: 4000, body: [barrier]}]}"
    with pytest.raises(LimitExceeded):
        load(GOOD.replace("- wait: {lgkmcnt: 0}", f"- {nest}"))


LINES = (data_dir("kernels") / "8wave.yaml").read_text().splitlines()


@settings(max_examples=60)
@given(
    line=st.integers(0, len(LINES) - 1),
    text=st.sampled_from(["", "x", "- x", "a: [", "  - {}", "- loop: t", "{", "!!x", "5", "\ta: 1", "? b"])
    | st.text(max_size=12),
    keep=st.integers(0, 30),
)
def test_broken_files_give_messages(line: int, text: str, keep: int) -> None:
    lines = list(LINES)
    lines[line] = lines[line][:keep] + text
    message = "k.yaml"
    try:
        load_tile_program(Path("k.yaml"), "gfx942", {"K": "128"}, "\n".join(lines))
    except UserError as error:
        message = str(error)
    assert "k.yaml" in message
    assert "\n\n" not in message
