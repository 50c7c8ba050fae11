"""Forms of an instruction (encoding, source modifiers, output modifiers) and what each does to a result.

A form is executed on edge values and compared with a reference that works number by number.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from emulate_harness import execute
from reference_numbers import FORMATS, ulps

from wavesim.emulate.state import State

Reference = Callable[["Env", Sequence[int]], "int | None"]
"""From the environment and the sources' bits to the destination's bits; None: nothing is claimed."""

AT_ONCE = 1024
OLD = 0xA5C3960F
"""What destinations hold before."""


@dataclass(frozen=True)
class Env:
    """What a result depends on beside the sources: MODE, and the destination's old bits."""

    rounding_32: int = 0
    rounding_64: int = 0
    flush_32: bool = False
    flush_64: bool = False
    ieee: bool = True
    dx10: bool = True
    overflow: bool = False

    @property
    def mode(self) -> int:
        denormals = (0 if self.flush_32 else 3) | (0 if self.flush_64 else 12)
        bits = self.rounding_32 | self.rounding_64 << 2 | denormals << 4
        return bits | self.dx10 << 8 | self.ieee << 9 | self.overflow << 23

    def rounding(self, single: bool) -> int:
        return self.rounding_32 if single else self.rounding_64

    def flushes(self, kind: str) -> bool:
        return self.flush_32 if kind == "f32" else self.flush_64


DEFAULT = Env()


@dataclass(frozen=True)
class Form:
    """``text`` has {d} for the destination and {0}, {1}, {2} for the sources' registers; ``kinds`` are the
    types of the sources, ``result`` that of the destination, which begins at bit ``shift``; ``bound`` in
    units of the last place."""

    text: str
    kinds: tuple[str, ...]
    result: str
    reference: Reference
    bound: float = 0.0
    arch: str = "gfx942"
    shift: int = 0

    @property
    def dwords(self) -> int:
        return 2 if self.result.endswith("64") or self.result == "f32x2" else 1


WIDTH = {"f32x2": 64, "f64": 64, "u64": 64, "i64": 64, "b64": 64}


@dataclass
class Batch:
    """Forms over the same sources, executed together."""

    kinds: tuple[str, ...]
    arch: str
    forms: list[Form] = field(default_factory=list)


def run_forms(
    forms: Sequence[Form], inputs: Sequence[np.ndarray], env: Env = DEFAULT, vcc: int | None = None
) -> list[str]:
    """Executes forms with the same kinds of sources on ``inputs`` (unsigned bits); what came out wrong."""
    kinds = forms[0].kinds
    sources, row = [], 1
    for kind in kinds:
        wide = WIDTH.get(kind, 32) == 64
        row += row % 2 if wide else 0
        sources.append(f"v[{row}:{row + 1}]" if wide else f"v{row}")
        row += 2 if wide else 1
    first = row + row % 2
    per_run = (62 - first) // 2
    wrong: list[str] = []
    for start in range(0, len(forms), per_run):
        wrong += _run_some(forms[start : start + per_run], sources, inputs, env, first, vcc)
    return wrong


def _run_some(
    forms: Sequence[Form],
    sources: list[str],
    inputs: Sequence[np.ndarray],
    env: Env,
    first: int,
    vcc: int | None,
) -> list[str]:
    lines = [f"s_setreg_imm32_b32 hwreg(HW_REG_MODE), {env.mode:#x}"] if env != DEFAULT else []
    if vcc is not None:
        lines.append(f"s_mov_b32 vcc_lo, {vcc & 0xFFFFFFFF:#x}\ns_mov_b32 vcc_hi, {vcc >> 32:#x}")
    for place, form in enumerate(forms):
        row = first + 2 * place
        target = f"v[{row}:{row + 1}]" if form.dwords == 2 else f"v{row}"
        lines.append(form.text.format(*sources, d=target))
    text = "\n".join(lines)
    wrong: list[str] = []
    for start in range(0, len(inputs[0]), AT_ONCE):
        part = [each[start : start + AT_ONCE] for each in inputs]
        count = len(part[0])
        waves = -(-count // 64)

        def setup(state: State, part: list[np.ndarray] = part, waves: int = waves) -> None:
            state.vgpr[first : first + 2 * len(forms)] = OLD
            for source, array in zip(sources, part, strict=True):
                row = int(source.strip("v[").partition(":")[0].rstrip("]"))
                padded = np.zeros(64 * waves, array.dtype)
                padded[: len(array)] = array
                state.vgpr[row] = padded.astype(np.uint32).reshape(waves, 64)
                if array.itemsize == 8:
                    state.vgpr[row + 1] = (padded >> np.uint64(32)).astype(np.uint32).reshape(waves, 64)

        outcome = execute(text, setup, waves=waves, arch=forms[0].arch)
        values = [each.tolist() for each in part]
        for place, form in enumerate(forms):
            found = outcome.v(first + 2 * place).ravel()[:count].astype(np.uint64)
            if form.dwords == 2:
                found = found | outcome.v(first + 2 * place + 1).ravel()[:count].astype(
                    np.uint64
                ) << np.uint64(32)
            wrong += _differences(form, env, list(zip(*values, strict=True)), found.tolist())
    return wrong


def _differences(form: Form, env: Env, points: list[tuple[int, ...]], found: list[int]) -> list[str]:
    wrong = []
    float_format = FORMATS.get(form.result)
    halves = FORMATS.get(form.result.removesuffix("x2")) if form.result.endswith("x2") else None
    for point, bits in zip(points, found, strict=True):
        expected = form.reference(env, point)
        if expected is None or bits == expected:
            continue
        if halves is not None:
            size, mask = halves.bits, (1 << halves.bits) - 1
            parts = [(bits >> place & mask, expected >> place & mask) for place in (0, size)]
            if all(ulps(field, wanted, halves) == 0 for field, wanted in parts):
                continue
        if float_format is not None:
            mask = (1 << float_format.bits) - 1
            field, wanted = bits >> form.shift & mask, expected >> form.shift & mask
            around = ~(mask << form.shift)
            is_nan = float_format.decode(wanted) != float_format.decode(wanted)
            rest = bits & around == expected & around or (is_nan and "SEXT" in form.text)
            if rest and ulps(field, wanted, float_format) <= form.bound:
                continue
        shown = ", ".join(f"{each:#x}" for each in point)
        wrong.append(f"{form.text} of ({shown}) is {bits:#x}, not {expected:#x}")
        if len(wrong) == 3:
            break
    return wrong
