"""The rules of `wavesim check`: id, usual severity and what they say, for help texts and the docs."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from wavesim.checks import by_code
from wavesim.checks.rule import CODE, EXECUTION, LOADING, Rule
from wavesim.program import Severity

_ERROR, _WARNING, _NOTE = Severity.ERROR, Severity.WARNING, Severity.NOTE

_ROWS = (
    (
        "missing-wait",
        _ERROR,
        CODE,
        "A register or LDS byte is used while the load that fills it may be outstanding.",
        "On some path an instruction reads, overwrites or addresses with a register whose LDS, global or "
        "scalar load is not covered by an s_waitcnt, or LDS is read before the same wave's load to LDS is "
        "done. The hardware does not hold the instruction back.",
    ),
    (
        "wait-too-strong",
        _NOTE,
        CODE,
        "An s_waitcnt could leave more operations outstanding.",
        "With the reported count every use still comes after its load, on all paths, and LDS accesses "
        "of different waves stay ordered. The clocks it costs are simulated.",
    ),
    (
        "counter-overflow",
        _NOTE,
        CODE,
        "More operations are outstanding than vmcnt or lgkmcnt can count.",
        "At a full counter the wave stalls at issue until an earlier operation returns. The result stays "
        "right; the overlap that was meant is not there.",
    ),
    (
        "lds-race",
        _ERROR,
        EXECUTION,
        "Two waves touch the same LDS byte, one writes, and nothing orders them.",
        "No barrier that both accesses are complete before stands between them, by the addresses that were "
        "executed and whatever the timing.",
    ),
    (
        "global-race",
        _WARNING,
        EXECUTION,
        "Two waves of a workgroup touch the same byte of global memory, one writes, and nothing orders them.",
        "No barrier that both accesses are complete before (vmcnt) stands between them, by the addresses "
        "that were executed and whatever the timing. An error where no barrier stands between them at all.",
    ),
    (
        "mfma-hazard",
        _ERROR,
        CODE,
        "Too few wait states between an MFMA and an instruction that touches its registers.",
        "The hardware does not interlock these pairs; the ISA manual gives the wait states for each MFMA.",
    ),
    (
        "wait-states",
        _ERROR,
        CODE,
        "Fewer wait states between two instructions than the ISA manual asks for.",
        "Pairs without interlock other than those after an MFMA, such as a VALU result read by an MFMA, or "
        "an SGPR that a VALU wrote read by a memory access. A pair that only LLVM puts wait states between "
        "is a note, with --strict an error.",
    ),
    (
        "barrier-deadlock",
        _ERROR,
        EXECUTION,
        "Waves wait at a barrier that the others of their workgroup never reach.",
        "Every wave of a workgroup that has not ended must arrive before a barrier opens.",
    ),
    (
        "spin-deadlock",
        _ERROR,
        EXECUTION,
        "A wave polls for a value that no other wave will store.",
        "All other waves have ended or wait themselves.",
    ),
    (
        "lds-out-of-bounds",
        _ERROR,
        EXECUTION,
        "An LDS address beyond the workgroup's allocation.",
        "Reads beyond give 0 and writes are dropped, without an error on the hardware.",
    ),
    (
        "lds-buffer-overrun",
        _ERROR,
        LOADING,
        "An LDS access inside the allocation but past the tile that it belongs to.",
        "The fragment that is read takes in bytes of another tile.",
    ),
    (
        "lds-overflow",
        _ERROR,
        LOADING,
        "The workgroup allocates more LDS than a compute unit has.",
        "Such a kernel cannot be launched.",
    ),
    (
        "lds-uninitialised",
        _WARNING,
        EXECUTION,
        "LDS bytes are read that no wave has written.",
        "LDS starts with whatever the last workgroup left in it.",
    ),
    (
        "global-out-of-bounds",
        _ERROR,
        EXECUTION,
        "A global address outside every argument.",
        "By the sizes of the arguments in the launch description.",
    ),
    (
        "global-uninitialised",
        _WARNING,
        EXECUTION,
        "A result is read before anything was stored there.",
        "For arguments whose data is given as `unwritten`.",
    ),
    (
        "scratch-out-of-bounds",
        _ERROR,
        EXECUTION,
        "A scratch address beyond the private segment.",
        "By the private segment size in the kernel's metadata.",
    ),
    (
        "tile-coverage",
        _ERROR,
        EXECUTION,
        "Result elements are never stored, stored by two waves, or hold another place's product.",
        "Where an expected result is known.",
    ),
    (
        "wrong-result",
        _ERROR,
        EXECUTION,
        "The stored result is not the expected one.",
        "Executed in the usual order, or adversarially: loads as late as the ISA allows, waves in hostile "
        "order.",
    ),
    (
        "float-mode",
        _WARNING,
        CODE,
        "Results rest on MODE bits, or on a modifier under them, that are not followed in full.",
        "A rounding mode other than nearest, MODE bits that are not modelled, another hardware register that "
        "is written, or an output modifier that MODE makes the hardware ignore.",
    ),
    (
        "register-index",
        _ERROR,
        LOADING,
        "A tile program names a register tile that does not exist.",
        "The statement is lowered to nothing.",
    ),
    (
        "register-overflow",
        _ERROR,
        LOADING,
        "The waves of a workgroup need more registers than a SIMD has.",
        "Such a kernel cannot be launched.",
    ),
    (
        "occupancy",
        _NOTE,
        CODE,
        "How many waves and workgroups fit on a compute unit, and what limits them.",
        "From the registers and the LDS that the kernel's metadata asks for.",
    ),
    (
        "register-spill",
        _NOTE,
        CODE,
        "Registers that the compiler keeps in scratch memory.",
        "With the loads and stores in the loop, what they cost, and with how many waves per SIMD the "
        "registers would fit.",
    ),
    (
        "transposed-read",
        _NOTE,
        EXECUTION,
        "A transposing LDS read while some lanes are switched off.",
        "What it gives then is not documented.",
    ),
    (
        "bank-conflict",
        _NOTE,
        EXECUTION,
        "LDS accesses whose lanes meet in the same bank.",
        "With the clocks they add, and whether other work hides them.",
    ),
)

RULES: Mapping[str, Rule] = MappingProxyType(
    {rule.id: rule for rule in (*(Rule(*row) for row in _ROWS), *by_code.RULES)}
)
"""Every rule by its id."""
