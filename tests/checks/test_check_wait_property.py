"""Random kernels: the reported counts are the largest that bring no missing-wait, by trying every count."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from wavesim.asm.text.parse import parse_program
from wavesim.checks.all_paths import check_program
from wavesim.checks.pending import pending_before
from wavesim.checks.relaxing import COUNTERS, NOT_WAITED, WaitRelaxer, counts_from
from wavesim.checks.strong_waits import find_strong_waits, relaxed_code
from wavesim.checks.waits import hazardous_uses
from wavesim.trace import CodeEntry, Kind

REGISTERS = st.integers(2, 6)
LOADS = (
    "ds_read_b32 v{0}, v0",
    "global_load_dword v{0}, v[0:1], off",
    "flat_load_dword v{0}, v[0:1]",
    "s_load_dword s{0}, s[0:1], 0x0",
)
LINES = st.one_of(
    st.builds(lambda text, number: text.format(number), st.sampled_from(LOADS), REGISTERS),
    st.builds("v_add_u32 v{0}, v{1}, v{1}".format, REGISTERS, REGISTERS),
    st.builds("s_add_u32 s{0}, s{1}, s{1}".format, REGISTERS, REGISTERS),
    st.builds("s_waitcnt vmcnt({0})".format, st.integers(0, 3)),
    st.builds("s_waitcnt lgkmcnt({0})".format, st.integers(0, 3)),
    st.builds("s_waitcnt vmcnt({0}) lgkmcnt({1})".format, st.integers(0, 3), st.integers(0, 3)),
)


def hazards_with(relaxer: WaitRelaxer, code: tuple[CodeEntry, ...]) -> set[tuple[int, str]]:
    """Uses of registers that are not there yet, as (place, register); not only the first of each load."""
    before = pending_before(relaxer.flow, code, relaxer.effects)
    return {
        (index, f"{hazard} {register}")
        for index, state in before.items()
        if code[index].kind is not Kind.WAIT
        for register, hazard in hazardous_uses(state, code[index], relaxer.effects[index])
    }


@settings(max_examples=150, deadline=None)
@given(st.lists(LINES, min_size=2, max_size=8), st.lists(LINES, max_size=6), st.booleans())
def test_largest_safe_counts(first: list[str], second: list[str], loop: bool) -> None:
    back = ["s_cbranch_scc1 loop"] if loop else []
    lines = ["kernel:", *first, "loop:", *second, *back, "s_endpgm"]
    program = parse_program("\n".join(lines) + "\n", "kernel.s", arch="gfx942")
    _, relaxer = check_program(program)
    reported = {each.waits[0]: each.counts for each in find_strong_waits(relaxer, None)}
    known = hazards_with(relaxer, relaxer.code)
    for index, entry in enumerate(relaxer.code):
        if entry.kind is not Kind.WAIT:
            continue
        for counter in COUNTERS:
            count = entry.wait_vmcnt if counter == "vmcnt" else entry.wait_lgkmcnt
            if count is None:
                continue
            largest = reported.get(index, {}).get(counter, count)
            safe = relaxed_code(relaxer.code, (index,), {counter: largest})
            assert hazards_with(relaxer, safe) <= known
            weaker = [each for each in counts_from(count, counter) if each > largest]
            operations = relaxer.operations[index]
            if weaker and counter in reported.get(index, {}) and largest != NOT_WAITED and operations:
                code = relaxed_code(relaxer.code, (index,), {counter: weaker[0]})
                assert not hazards_with(relaxer, code) <= known, f"{lines[index]}: {counter}({weaker[0]})"


@settings(max_examples=150, deadline=None)
@given(st.lists(LINES, min_size=2, max_size=10))
def test_what_is_not_reported_cannot_be_weaker(lines: list[str]) -> None:
    program = parse_program("\n".join(["kernel:", *lines, "s_endpgm"]) + "\n", "kernel.s", arch="gfx942")
    _, relaxer = check_program(program)
    reported = {each.waits[0]: each.counts for each in find_strong_waits(relaxer, None)}
    known = hazards_with(relaxer, relaxer.code)
    for index, entry in enumerate(relaxer.code):
        for counter in COUNTERS if entry.kind is Kind.WAIT else ():
            count = entry.wait_vmcnt if counter == "vmcnt" else entry.wait_lgkmcnt
            if count is None or counter in reported.get(index, {}):
                continue
            code = relaxed_code(relaxer.code, (index,), {counter: count + 1})
            weaker = pending_before(relaxer.flow, code, relaxer.effects)
            same = weaker == relaxer.before  # nothing there to wait for
            assert same or not hazards_with(relaxer, code) <= known
