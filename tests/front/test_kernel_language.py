"""Every statement and option means what docs/kernels.md says, seen in the numbers of small kernels."""

from __future__ import annotations

from pathlib import Path

import pytest

from wavesim.checks.run import check_kernel
from wavesim.errors import UserError
from wavesim.front.launch.model import LoadedKernel
from wavesim.front.tile.load import load_tile_program
from wavesim.isa.load import load_machine

BASE = """\
constants: {M: 64, N: 64, K: 128, TILE: 32, STEP: 64}
workgroup: {waves: 1}
memory:
  A: {type: bf16, rows: M, cols: K}
  B: {type: bf16, rows: N, cols: K}
  C: {type: f32, rows: M, cols: N, init: unwritten}
lds:
  As: {type: bf16, rows: TILE, cols: STEP}
  Bs: {type: bf16, rows: TILE, cols: STEP}
loads:
  la: {from: A, to: As, row: grid_y * TILE}
  lb: {from: B, to: Bs, row: grid_x * TILE}
fragments:
  a: {rows: TILE, cols: STEP}
  b: {rows: TILE, cols: STEP}
accumulators:
  c: {rows: TILE, cols: TILE}
mfma: widest
macros:
  fill:
  - {global_load: la, col: k}
  - {global_load: lb, col: k}
  - wait: {vmcnt: 0}
  - lds_write: la
  - lds_write: lb
  - wait: {lgkmcnt: 0}
  - barrier
  read:
  - {lds_read: a, from: As, width: b64}
  - {lds_read: b, from: Bs, width: b64}
program:
- zero: c
- loop: t
  from: 0
  to: K / STEP
  body:
  - {use: fill, with: {k: t * STEP}}
  - use: read
  - wait: {lgkmcnt: 0}
  - barrier
  - {mfma: c, a: a, b: b}
- {store: c, to: C, row: grid_y * TILE, col: grid_x * TILE}
launch:
  grid: [N / TILE, M / TILE]
  position: [1, 0]
  expect: {result: C, left: A, right: B}
  tile: {row: grid_y * TILE, col: grid_x * TILE, rows: TILE, cols: TILE}
"""


def load(text: str, arch: str = "gfx942") -> LoadedKernel:
    return load_tile_program(Path("k.yaml"), arch, {}, text)


def changed(*changes: tuple[str, str]) -> str:
    text = BASE
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    return text


def assert_right(text: str, arch: str = "gfx942", *, racing: str = "") -> LoadedKernel:
    """The kernel's numbers are right and no rule of check is broken, but ``racing``."""
    kernel = load(text, arch)
    result = check_kernel(kernel, load_machine(arch))
    assert result.numerics is not None
    assert result.numerics.checked
    assert result.numerics.ok, result.numerics.message
    assert {finding.rule for finding in result.findings if finding.is_bad} <= {racing}
    return kernel


SWIZZLE = "cols: STEP, swizzle: {unit_bytes: %d, rows: %d, shift: %d}}\n"
CHANGES: dict[str, list[tuple[str, str]]] = {
    "as it is": [],
    "b32 reads": [("b64", "b32")],
    "b128 reads": [("b64", "b128")],
    "32 rows": [("mfma: widest", "mfma: widest32")],
    "32 rows, b128": [("mfma: widest", "mfma: widest32"), ("b64", "b128")],
    "f16": [("bf16", "f16"), ("a: {rows", "a: {type: f16, rows"), ("b: {rows", "b: {type: f16, rows")],
    "AGPRs": [("cols: TILE}\nmfma", "cols: TILE, registers: agpr}\nmfma")],
    "padding": [("cols: STEP}\n  Bs", "cols: STEP, pad_bytes: 16}\n  Bs")],
    "padding by 8": [("cols: STEP}\n  Bs", "cols: STEP, pad_bytes: 8}\n  Bs")],
    "swizzle 8": [("cols: STEP}\n  Bs", SWIZZLE % (8, 16, 0) + "  Bs")],
    "swizzle 16": [("cols: STEP}\n  Bs", SWIZZLE % (16, 8, 0) + "  Bs")],
    "swizzle shifted": [("cols: STEP}\n  Bs", SWIZZLE % (8, 8, 1) + "  Bs")],
    "swizzle of fewer rows": [("cols: STEP}\n  Bs", SWIZZLE % (8, 4, 2) + "  Bs")],
    "K step 32": [("STEP: 64", "STEP: 32")],
    "unrolled": [("to: K / STEP", "to: K / STEP\n  unroll: 2")],
    "unrolled beyond the end": [("to: K / STEP", "to: K / STEP\n  unroll: 3")],
    "for": [("loop: t", "for: t")],
    "counting by columns": [("to: K / STEP", "to: K\n  step: STEP"), ("k: t * STEP", "k: t")],
    "more waves than work": [
        ("waves: 1", "waves: 2"),
        ("- {store", "- if: wave == 1\n  then:\n  - {store"),
    ],
    "a load by the second wave": [
        ("waves: 1", "waves: 2"),
        ("row: grid_y * TILE}", "row: grid_y * TILE, threads: 64, thread: thread - 64}"),
        (
            "  - {global_load: la, col: k}\n",
            "  - if: wave == 1\n    then:\n    - {global_load: la, col: k}\n",
        ),
        ("  - lds_write: la\n", "  - if: wave == 1\n    then:\n    - lds_write: la\n"),
        ("- {store", "- if: wave == 0\n  then:\n  - {store"),
    ],
    "pieces": [
        (
            "  - lds_write: la\n",
            "  - for: p\n    from: 0\n    to: 4\n    body:\n    - {lds_write: la, piece: 3 - p}\n",
        )
    ],
    "two stages chosen at run time": [
        ("cols: STEP}\n  Bs", "cols: STEP, stages: 2}\n  Bs"),
        ("lds_write: la", "{lds_write: la, stage: k / STEP % 2}"),
        ("- use: read\n", "- {use: read, with: {k: t * STEP}}\n"),
        ("from: As,", "from: As, stage: k / STEP % 2,"),
    ],
    "halves of the columns": [
        ("a: {rows: TILE, cols: STEP}", "a: {rows: TILE, cols: STEP / 2, count: 2}"),
        ("b: {rows: TILE, cols: STEP}", "b: {rows: TILE, cols: STEP / 2, count: 2}"),
        (
            "  - {lds_read: a, from: As, width: b64}\n  - {lds_read: b, from: Bs, width: b64}\n",
            "  - for: h\n    from: 0\n    to: 2\n    body:\n"
            '    - {lds_read: "a[h]", from: As, col: h * STEP / 2, width: b64}\n'
            '    - {lds_read: "b[h]", from: Bs, col: h * STEP / 2, width: b64}\n',
        ),
        (
            "  - {mfma: c, a: a, b: b}",
            '  - {mfma: c, a: "a[0]", b: "b[0]"}\n  - {mfma: c, a: "a[1]", b: "b[1]"}',
        ),
    ],
    "interleaved streams": [
        ("  b: {rows", "  a2: {rows: TILE, cols: STEP}\n  b: {rows"),
        (
            "  - use: read\n",
            "  - interleave:\n    - take: 3\n      body:\n      - {lds_read: a, from: As, width: b64}\n"
            "    - take: 1\n      body:\n      - {lds_read: b, from: Bs, width: b64}\n",
        ),
    ],
    "interleaved with a moving address": [
        (
            "  - {global_load: la, col: k}\n  - {global_load: lb, col: k}\n",
            "  - interleave:\n    - {take: 1, body: [{global_load: la, col: k}]}\n"
            "    - {take: 1, body: [{global_load: lb, col: k}]}\n",
        )
    ],
    "raw lines": [
        ("- zero: c", '- raw: ["v_mov_b32 {c:0}, 0", "v_mov_b32 {c:1:1}, 0"]\n- zero: c'),
        ("  - {mfma: c", "  - raw: [s_nop 1, s_setprio 2]\n  - {mfma: c"),
    ],
    "a copied fragment": [
        ("  b: {rows", "  a2: {rows: TILE, cols: STEP}\n  b: {rows"),
        ("  - {mfma: c, a: a,", "  - {copy: a, to: a2}\n  - {mfma: c, a: a2,"),
    ],
    "names through macros": [
        ("macros:\n", "macros:\n  step:\n  - {mfma: into, a: x, b: y}\n"),
        ("- {mfma: c, a: a, b: b}", "- {use: step, with: {into: c, x: a, y: b}}"),
    ],
    "a flag in LDS": [
        ("waves: 1", "waves: 2"),
        ("fragments:", "values: {other: 1 - wave}\nfragments:"),
        ("loads:", "  ready: {type: i32, rows: 1, cols: 4}\nloads:"),
        (
            "program:\n",
            "program:\n- {flag_set: ready, index: wave, value: wave + 7}\n"
            "- {spin: ready, index: other, until: other + 7}\n",
        ),
        ("- {store", "- if: wave == 0\n  then:\n  - {store"),
    ],
}


@pytest.mark.parametrize("arch", ["gfx942", "gfx950"])
@pytest.mark.parametrize("name", CHANGES)
def test_the_numbers(name: str, arch: str) -> None:
    # a flag that is polled is read while another wave writes it: that is what flags are
    assert_right(changed(*CHANGES[name]), arch, racing="lds-race" if "flag" in name else "")


def test_gfx90a() -> None:
    kernel = assert_right(BASE, "gfx90a")
    assert "v_mfma_f32_16x16x16bf16_1k" in {each.opcode for each in kernel.program}


def opcodes(kernel: LoadedKernel) -> list[str]:
    return [each.opcode for each in kernel.program]


def test_statements_become_what_the_page_says() -> None:
    text = changed(("- zero: c", "- {priority: 2}\n- {nop: 3}\n- wait: {vmcnt: 3, lgkmcnt: 2}\n- zero: c"))
    shown = [f"{each.opcode} {', '.join(map(str, each.operands))}" for each in load(text).program]
    for line in ("s_setprio 2", "s_nop 3", "s_waitcnt vmcnt(3) lgkmcnt(2)"):
        assert line in shown
    assert opcodes(load(BASE)).count("ds_write_b128") == 8
    assert opcodes(load(changed(*CHANGES["swizzle 8"]))).count("ds_write_b64") == 8
    assert opcodes(load(changed(*CHANGES["AGPRs"]))).count("v_accvgpr_write_b32") == 16


def test_conditions_known_before_the_run_leave_no_branch() -> None:
    text = changed(("- zero: c", "- if: K > 5\n  then:\n  - zero: c\n  else:\n  - barrier"))
    assert opcodes(load(text)) == opcodes(load(BASE))


def test_branches_at_run_time() -> None:
    text = changed(
        ("waves: 1", "waves: 2"),
        ("- zero: c", "- if: wave < 1\n  then:\n  - nop: 1\n  else:\n  - nop: 2\n- zero: c"),
        ("- {store", "- if: wave == 1\n  then:\n  - {store"),
    )
    found = opcodes(assert_right(text))
    assert "s_branch" in found
    assert found.count("s_cbranch_scc0") == 2


def test_interleave_takes_turns() -> None:
    text = changed(
        (
            "- {store",
            "- interleave:\n  - {take: 2, body: [{nop: 1}, {nop: 1}, {nop: 1}]}\n"
            "  - {take: 1, body: [{priority: 1}, {priority: 2}, {priority: 3}]}\n- {store",
        ),
    )
    found = [each for each in load(text).program if each.opcode in ("s_nop", "s_setprio")]
    tail = [(each.opcode, str(each.operands[0])) for each in found][-7:]
    expected = [("s_nop", "1")] * 2 + [
        ("s_setprio", "1"),
        ("s_nop", "1"),
        ("s_setprio", "2"),
        ("s_setprio", "3"),
    ]
    assert [each for each in tail if each in expected][: len(expected)] == expected


def test_interleave_refuses_branches_and_nesting() -> None:
    for body, words in (
        ("{loop: q, from: 0, to: 3, body: [barrier]}", "cannot branch"),
        ("{interleave: [{take: 1, body: [barrier]}]}", "inside"),
    ):
        text = changed(("- {store", f"- interleave:\n  - {{take: 1, body: [{body}]}}\n- {{store"))
        with pytest.raises(UserError, match=words):
            load(text)


def test_the_launch() -> None:
    text = changed(
        (
            "position: [1, 0]",
            "position: [1, 0]\n  workgroups_per_cu: 2\n  machine: {memory.latency_clk: 300 + 4}",
        )
    )
    launch = load(text).launch
    assert launch.workgroups == ((1, 0, 0), (0, 1, 0))
    assert launch.machine_overrides == {"memory.latency_clk": 304}
    assert launch.expect is not None
    assert launch.expect.tiles == {(1, 0, 0): (0, 32, 32, 32), (0, 1, 0): (32, 0, 32, 32)}
    assert launch.grid == (2, 2, 1)
    assert launch.workgroup_size == 64
    assert_right(text)


def test_the_role_of_loads_stands_for_a_latency() -> None:
    launched = ("position: [1, 0]", "position: [1, 0]\n  machine: {memory.latency_clk: hbm}")
    assert load(changed(launched)).launch.machine_overrides == {"memory.latency_clk": "hbm"}
    with pytest.raises(UserError, match="hbn"):
        load(changed((launched[0], launched[1].replace("hbm", "hbn"))))


def test_steady_addresses_share_registers() -> None:
    loop = load(BASE).program
    head = loop.labels[next(iter(loop.labels))]
    inside = [each.opcode for each in loop.instructions[head:]]
    inside = inside[: inside.index("s_cbranch_scc1")]
    assert not [each for each in inside if each.startswith("v_") and "mfma" not in each]
    assert len({str(each.operands[1]) for each in loop if each.opcode == "ds_read_b64"}) == 1
