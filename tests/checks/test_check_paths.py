"""Paths that cannot be are not followed, and no finding of a path that can be is lost."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wavesim.asm.text.parse import parse_program
from wavesim.checks.all_paths import check_program
from wavesim.checks.cfg import control_flow
from wavesim.checks.paths import possible_paths
from wavesim.program.dataflow import effects
from wavesim.trace.decode import code_entries

LOAD, WAIT, USE = "global_load_dword v2, v[0:1], off", "s_waitcnt vmcnt(0)", "v_mov_b32 v9, v2"


def missing(*lines: str) -> list[int]:
    """Indices of the uses that are found."""
    program = parse_program("k:\n" + "\n".join(lines) + "\ns_endpgm\n", "k.s", arch="gfx942")
    places = {each.span: index for index, each in enumerate(program.instructions)}
    found, _ = check_program(program)
    return [places[each.spans[0]] for each in found if each.rule == "missing-wait"]


def guarded(first: str, second: str, between: str = "s_nop 0") -> list[int]:
    """A load that is left out where ``first`` branches, and its use where ``second`` does not. Each is a
    test that branches where it holds; the second is turned round. Clean if they agree."""
    turned = re.sub(r"(scc[01]|vccn?z) \{\}", lambda match: OPPOSITE[match[1]] + " {}", second)
    return missing(first.format("L1"), LOAD, "L1:", between, turned.format("L2"), USE, "L2:")


OPPOSITE = {"scc0": "scc1", "scc1": "scc0", "vccz": "vccnz", "vccnz": "vccz"}


def guard(compare: str, branch: str = "s_cbranch_scc1") -> str:
    return f"{compare}\n{branch} {{}}"


EQUAL = guard("s_cmp_eq_u32 s4, 0")


@pytest.mark.parametrize(
    "second",
    [
        EQUAL,
        guard("s_cmp_lg_u32 s4, 0", "s_cbranch_scc0"),
        guard("s_cmp_eq_u32 0, s4"),
        guard("s_cmp_eq_i32 s4, 0"),
        guard("s_cmpk_eq_i32 s4, 0x0"),
        guard("s_cmp_lt_u32 s4, 1"),
        guard("s_cmp_gt_u32 1, s4"),
        guard("s_cmp_le_u32 s4, 0"),
    ],
)
def test_two_compares_of_one_unchanged_register_agree(second: str) -> None:
    assert not guarded(EQUAL, second)


@pytest.mark.parametrize(
    "second", ["s_cmp_eq_u32 s4, 7", "s_cmp_lt_u32 s4, 2", "s_cmp_le_i32 s4, 0", "s_cmp_eq_u32 s5, 0"]
)
def test_compares_that_may_differ_are_followed_both_ways(second: str) -> None:
    assert guarded(EQUAL, guard(second))


@pytest.mark.parametrize(
    "between",
    [
        "s_add_u32 s4, s4, 1",
        "s_load_dword s4, s[0:1], 0x0\ns_waitcnt lgkmcnt(0)",
        "v_readfirstlane_b32 s4, v0",
        "s_mov_b64 s[4:5], s[6:7]",
        "s_cselect_b32 s4, 1, 0",
        "s_movreld_b32 s3, s9",  # writes s3 + M0
        "s_cmp_eq_u32 s9, 3\ns_cbranch_scc1 L9\ns_mov_b32 s4, s9\nL9:",
    ],
)
def test_a_register_that_changed_is_unknown_again(between: str) -> None:
    assert guarded(EQUAL, EQUAL, between)


def test_what_does_not_touch_it_changes_nothing() -> None:
    for between in ("s_add_u32 s5, s4, 1", "s_mov_b64 exec, -1", "v_mov_b32 v4, 0", "ds_read_b32 v4, v5"):
        assert not guarded(EQUAL, EQUAL, between), between


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("s_cmp_lt_i32 s4, s5", "s_cmp_gt_i32 s5, s4"),
        ("s_cmp_lt_u32 s4, s5", "s_cmp_gt_u32 s5, s4"),
        ("s_cmp_eq_i32 s4, s5", "s_cmp_eq_u32 s5, s4"),
        ("s_cmp_eq_u64 s[4:5], s[6:7]", "s_cmp_eq_u64 s[6:7], s[4:5]"),
        ("s_bitcmp1_b32 s4, 3", "s_bitcmp1_b32 s4, 3"),
        ("s_and_b32 s6, s4, s5", "s_cmp_lg_u32 s6, 0"),
    ],
)
def test_other_tests_agree_too(first: str, second: str) -> None:
    assert not guarded(guard(first), guard(second))
    assert guarded(guard(first), guard(second), "s_mov_b64 s[4:5], s[8:9]\ns_mov_b32 s6, s8")


def test_a_mask_of_lanes() -> None:
    branch = "s_and_b64 vcc, exec, s[4:5]\ns_cbranch_vccz {}"
    compare = "v_cmp_gt_u32 vcc, s4, v0\ns_cbranch_vccz {}"
    for test, change in ((branch, "s_mov_b64 exec, -1"), (compare, "v_mov_b32 v0, 0")):
        assert not guarded(test, test)
        assert guarded(test, test, change)


def test_one_flag_asked_twice() -> None:
    assert not missing(
        "s_cmp_eq_u32 s4, 0", "s_cbranch_scc1 L1", LOAD, WAIT, "L1:", "s_cbranch_scc1 L2", USE, "L2:"
    )
    code = ("s_cbranch_scc1 L1", LOAD, "L1:", "s_cbranch_scc0 L2", "s_endpgm", "L2:", USE)
    assert missing("s_cmp_eq_u32 s4, 0", *code) == [5]
    other = ("s_cbranch_scc1 L1", LOAD, "L1:", "s_cbranch_scc1 L2", "s_endpgm", "L2:", USE)
    assert not missing("s_cmp_eq_u32 s4, 0", *other)


def test_a_constant_that_was_moved() -> None:
    rest = (
        "L0:",
        "s_cmp_eq_u32 s4, 0",
        "s_cbranch_scc1 L1",
        USE,
        "L1:",
        "s_mov_b32 s4, 1",
        WAIT,
        "s_branch L0",
    )
    assert missing("s_mov_b32 s4, 0", LOAD, *rest) == []
    assert missing("s_mov_b32 s4, 1", LOAD, *rest) == [4]


def test_edges_that_no_path_takes_go() -> None:
    tests = "s_cmp_lt_i32 s4, 3\ns_cbranch_scc1 L\ns_cmp_gt_i32 s4, -1\ns_cbranch_scc1 L\n"
    text = f"k:\n{tests}s_nop 0\nL:\ns_endpgm\n"
    program = parse_program(text, "k.s", arch="gfx942")
    code = code_entries(program)
    used = tuple(effects(each, program.arch) for each in program)
    flow = possible_paths(program, code, used, control_flow(program, code))
    assert 4 not in flow.reachable  # a number that is not below 3 is above -1


def test_many_tests_do_not_explode() -> None:
    lines = []
    for number in range(40):
        lines += [
            f"s_bitcmp1_b32 s4, {number % 32}",
            f"s_cbranch_scc1 A{number}",
            "v_mov_b32 v3, 0",
            f"A{number}:",
        ]
    for number in range(40):
        lines += [
            f"s_bitcmp1_b32 s4, {number % 32}",
            f"s_cbranch_scc1 B{number}",
            "v_mov_b32 v3, 0",
            f"B{number}:",
        ]
    program = parse_program("k:\n" + "\n".join(lines) + "\ns_endpgm\n", "k.s", arch="gfx942")
    code = code_entries(program)
    used = tuple(effects(each, program.arch) for each in program)
    flow = possible_paths(program, code, used, control_flow(program, code))
    assert len(flow.paths.at) <= 16 * len(code)
    assert len(flow.reachable) == len(code)


SIGNED: Callable[[int], int] = lambda value: value - 2**32 if value >= 2**31 else value  # noqa: E731
COMPARES: dict[str, Callable[[int, int], bool]] = {
    "eq": lambda a, b: a == b,
    "lg": lambda a, b: a != b,
    "lt": lambda a, b: a < b,
    "le": lambda a, b: a <= b,
    "gt": lambda a, b: a > b,
    "ge": lambda a, b: a >= b,
}
NUMBERS = (0, 1, 2, 7, -1)
STARTS = (0, 1, 2, 6, 7, 8, 2**31, 2**32 - 1)


def value(text: str, registers: dict[str, int]) -> int:
    return registers[text] if text in registers else int(text) % 2**32


def real_misses(lines: list[str]) -> set[int]:
    """Uses of v2 or v3 behind their load and before a wait, by executing every start."""
    found = set()
    for first, second in product(STARTS, repeat=2):
        registers = {"s4": first, "s5": second}
        scc, index, steps = False, 0, 0
        pending: set[str] = set()
        while index < len(lines) and steps < 60:
            line, steps = lines[index], steps + 1
            opcode, *operands = re.split(r"[ ,]+", line)
            index += 1
            if opcode.startswith("s_cmp_"):
                a, b = (value(each, registers) for each in operands)
                if opcode.endswith("i32"):
                    a, b = SIGNED(a), SIGNED(b)
                scc = COMPARES[opcode.split("_")[2]](a, b)
            elif opcode.startswith("s_bitcmp"):
                scc = bool(value(operands[0], registers) >> int(operands[1]) & 1) == (opcode[8] == "1")
            elif opcode == "s_mov_b32":
                registers[operands[0]] = value(operands[1], registers)
            elif opcode == "s_add_u32":
                total = value(operands[1], registers) + value(operands[2], registers)
                registers[operands[0]], scc = total % 2**32, total >= 2**32
            elif opcode == "s_and_b32":
                registers[operands[0]] = value(operands[1], registers) & value(operands[2], registers)
                scc = registers[operands[0]] != 0
            elif opcode.startswith("s_cbranch_scc"):
                if scc == (opcode[-1] == "1"):
                    index = int(operands[0][1:])
            elif opcode == "global_load_dword":
                pending.add(operands[0])
            elif opcode == "s_waitcnt":
                pending.clear()
            elif opcode == "v_mov_b32" and operands[1] in pending:
                found.add(index - 1)
    return found


@st.composite
def programs(draw: st.DrawFn) -> list[str]:
    size = draw(st.integers(6, 18))
    register, number = st.sampled_from(("s4", "s5")), st.sampled_from(NUMBERS)
    compare = st.builds(
        "s_cmp_{}_{} {}, {}".format,
        st.sampled_from(sorted(COMPARES)),
        st.sampled_from(("i32", "u32")),
        register,
        st.one_of(register, number),
    )
    line = st.one_of(
        compare,
        compare,
        st.builds("s_bitcmp{}_b32 {}, {}".format, st.integers(0, 1), register, st.integers(0, 2)),
        st.builds("s_mov_b32 {}, {}".format, register, number),
        st.builds("s_add_u32 {0}, {0}, {1}".format, register, number),
        st.builds("s_and_b32 {0}, {0}, {1}".format, register, number),
        st.builds("s_cbranch_scc{} L{}".format, st.integers(0, 1), st.integers(0, size)),
        st.builds("s_cbranch_scc{} L{}".format, st.integers(0, 1), st.integers(0, size)),
        st.sampled_from(("global_load_dword v2, v[0:1], off", "global_load_dword v3, v[0:1], off", WAIT)),
        st.sampled_from(("v_mov_b32 v9, v2", "v_mov_b32 v9, v3")),
    )
    return draw(st.lists(line, min_size=size, max_size=size))


@settings(max_examples=300, deadline=None)
@given(programs())
def test_nothing_that_a_real_path_has_is_lost(lines: list[str]) -> None:
    """Each load whose data is used too early by executing the program is found by reading it."""
    labelled = [text for number, line in enumerate(lines) for text in (f"L{number}:", line)] + [
        f"L{len(lines)}:"
    ]
    program = parse_program("k:\n" + "\n".join(labelled) + "\ns_endpgm\n", "k.s", arch="gfx942")
    _, relaxer = check_program(program)
    for index in real_misses(lines):
        register = ("v", int(lines[index].split("v")[-1]))
        assert register in relaxer.before.get(index, {}), (index, lines)
