"""Opcodes against LLVM's constant folder, on edge values and random ones.

Where LLVM and the manual differ, the manual holds (_DIFFERENT).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from edges import edges, random_bits
from emulate_harness import execute
from llvm_folds import SIZES, Fold, conversion, folded, intrinsic, operation
from reference_numbers import FORMATS, ulps

from wavesim.emulate.state import State

FLOATS = ("f16", "f32", "f64")
POINTS = 70
INTEGERS = (
    0,
    1,
    2,
    7,
    31,
    32,
    33,
    0x7F,
    0x80,
    0xFFFF,
    0x7FFF,
    0x8000,
    0x7FFFFFFF,
    0x80000000,
    0xFFFFFFFF,
    0x0C0D0807,
)


def float_folds() -> Iterator[Fold]:
    for kind in FLOATS:
        one, two, three = (kind,), (kind, kind), (kind, kind, kind)
        subtract = "v_sub_{0} {{d}}, {{0}}, {{1}}" if kind != "f64" else "v_add_{0} {{d}}, {{0}}, -{{1}}"
        yield operation("fadd", two, kind, f"v_add_{kind} {{d}}, {{0}}, {{1}}")
        yield operation("fsub", two, kind, subtract.format(kind))
        yield operation("fmul", two, kind, f"v_mul_{kind} {{d}}, {{0}}, {{1}}")
        yield intrinsic(f"llvm.fma.{kind}", three, kind, f"v_fma_{kind} {{d}}, {{0}}, {{1}}, {{2}}")
        yield intrinsic(f"llvm.minnum.{kind}", two, kind, f"v_min_{kind} {{d}}, {{0}}, {{1}}")
        yield intrinsic(f"llvm.maxnum.{kind}", two, kind, f"v_max_{kind} {{d}}, {{0}}, {{1}}")
        for name, word in (("trunc", "trunc"), ("ceil", "ceil"), ("floor", "floor"), ("roundeven", "rndne")):
            yield intrinsic(f"llvm.{name}.{kind}", one, kind, f"v_{word}_{kind} {{d}}, {{0}}")
        yield intrinsic(f"llvm.amdgcn.fract.{kind}", one, kind, f"v_fract_{kind} {{d}}, {{0}}")
        yield intrinsic(f"llvm.amdgcn.rcp.{kind}", one, kind, f"v_rcp_{kind} {{d}}, {{0}}", bound=1)
        yield intrinsic(f"llvm.amdgcn.frexp.mant.{kind}", one, kind, f"v_frexp_mant_{kind} {{d}}, {{0}}")
        exponent = "i16" if kind == "f16" else "i32"
        yield intrinsic(
            f"llvm.amdgcn.frexp.exp.{exponent}.{kind}",
            one,
            exponent,
            f"v_frexp_exp_{exponent}_{kind} {{d}}, {{0}}",
        )
        yield intrinsic(
            f"llvm.ldexp.{kind}.{exponent}", (kind, exponent), kind, f"v_ldexp_{kind} {{d}}, {{0}}, {{1}}"
        )
        yield intrinsic(
            f"llvm.amdgcn.class.{kind}",
            (kind, "i32"),
            "i1",
            f"v_cmp_class_{kind}_e64 vcc, {{0}}, {{1}}\n v_cndmask_b32 {{d}}, 0, 1, vcc",
        )
    for kind in ("f16", "f32"):
        yield intrinsic(
            f"llvm.amdgcn.fmed3.{kind}", (kind,) * 3, kind, f"v_med3_{kind} {{d}}, {{0}}, {{1}}, {{2}}"
        )
        yield intrinsic(f"llvm.amdgcn.sin.{kind}", (kind,), kind, f"v_sin_{kind} {{d}}, {{0}}", bound=1)
        yield intrinsic(f"llvm.amdgcn.cos.{kind}", (kind,), kind, f"v_cos_{kind} {{d}}, {{0}}", bound=1)
    two = ("f32", "f32")
    yield intrinsic("llvm.amdgcn.log.f32", ("f32",), "f32", "v_log_f32 {d}, {0}", bound=1)
    yield intrinsic("llvm.amdgcn.exp2.f32", ("f32",), "f32", "v_exp_f32 {d}, {0}", bound=1)
    yield intrinsic("llvm.amdgcn.fmul.legacy", two, "f32", "v_mul_legacy_f32 {d}, {0}, {1}")
    yield intrinsic("llvm.amdgcn.cvt.pkrtz", two, "v2f16", "v_cvt_pkrtz_f16_f32 {d}, {0}, {1}")
    for word in ("id", "sc", "tc", "ma"):
        yield intrinsic(
            f"llvm.amdgcn.cube{word}", ("f32",) * 3, "f32", f"v_cube{word}_f32 {{d}}, {{0}}, {{1}}, {{2}}"
        )
    yield conversion("fptrunc", "f32", "f16", "v_cvt_f16_f32 {d}, {0}")
    yield conversion("fptrunc", "f64", "f32", "v_cvt_f32_f64 {d}, {0}")
    yield conversion("fpext", "f16", "f32", "v_cvt_f32_f16 {d}, {0}")
    yield conversion("fpext", "f32", "f64", "v_cvt_f64_f32 {d}, {0}")
    for word, name in (("sitofp", "i32"), ("uitofp", "u32")):
        yield conversion(word, "i32", "f32", f"v_cvt_f32_{name} {{d}}, {{0}}")
        yield conversion(word, "i32", "f64", f"v_cvt_f64_{name} {{d}}, {{0}}")
        yield conversion(word, "i16", "f16", f"v_cvt_f16_{name[0]}16 {{d}}, {{0}}")
    for kind in ("f32", "f64"):
        yield intrinsic(f"llvm.fptosi.sat.i32.{kind}", (kind,), "i32", f"v_cvt_i32_{kind} {{d}}, {{0}}")
        yield intrinsic(f"llvm.fptoui.sat.i32.{kind}", (kind,), "i32", f"v_cvt_u32_{kind} {{d}}, {{0}}")
    yield intrinsic("llvm.fptosi.sat.i16.f16", ("f16",), "i16", "v_cvt_i16_f16 {d}, {0}")
    yield intrinsic("llvm.fptoui.sat.i16.f16", ("f16",), "i16", "v_cvt_u16_f16 {d}, {0}")


def integer_folds() -> Iterator[Fold]:
    three, two, one = ("i32",) * 3, ("i32",) * 2, ("i32",)
    yield intrinsic("llvm.amdgcn.ubfe.i32", three, "i32", "v_bfe_u32 {d}, {0}, {1}, {2}")
    yield intrinsic("llvm.amdgcn.sbfe.i32", three, "i32", "v_bfe_i32 {d}, {0}, {1}, {2}")
    yield intrinsic("llvm.amdgcn.perm", three, "i32", "v_perm_b32 {d}, {0}, {1}, {2}")
    yield intrinsic("llvm.fshr.i32", three, "i32", "v_alignbit_b32 {d}, {0}, {1}, {2}")
    yield intrinsic("llvm.amdgcn.mul.u24.i32", two, "i32", "v_mul_u32_u24 {d}, {0}, {1}")
    yield intrinsic("llvm.amdgcn.mul.i24.i32", two, "i32", "v_mul_i32_i24 {d}, {0}, {1}")
    yield intrinsic("llvm.bitreverse.i32", one, "i32", "v_bfrev_b32 {d}, {0}")
    yield intrinsic("llvm.ctlz.i32", one, "i32", "v_ffbh_u32 {d}, {0}\n v_min_u32 {d}, 32, {d}", "i1 false")
    yield intrinsic("llvm.cttz.i32", one, "i32", "v_ffbl_b32 {d}, {0}\n v_min_u32 {d}, 32, {d}", "i1 false")
    yield intrinsic("llvm.ctpop.i32", one, "i32", "v_bcnt_u32_b32 {d}, {0}, 0")
    yield intrinsic("llvm.uadd.sat.i32", two, "i32", "v_add_u32_e64 {d}, {0}, {1} clamp")
    yield intrinsic("llvm.usub.sat.i32", two, "i32", "v_sub_u32_e64 {d}, {0}, {1} clamp")
    yield intrinsic("llvm.sadd.sat.i32", two, "i32", "v_add_i32 {d}, {0}, {1} clamp")
    yield intrinsic("llvm.ssub.sat.i32", two, "i32", "v_sub_i32 {d}, {0}, {1} clamp")
    short = ("i16", "i16")
    yield intrinsic("llvm.uadd.sat.i16", short, "i16", "v_add_u16_e64 {d}, {0}, {1} clamp")
    yield intrinsic("llvm.usub.sat.i16", short, "i16", "v_sub_u16_e64 {d}, {0}, {1} clamp")
    yield intrinsic("llvm.sadd.sat.i16", short, "i16", "v_pk_add_i16 {d}, {0}, {1} clamp")
    yield intrinsic("llvm.ssub.sat.i16", short, "i16", "v_pk_sub_i16 {d}, {0}, {1} clamp")
    for word, name in (("umin", "min_u32"), ("umax", "max_u32"), ("smin", "min_i32"), ("smax", "max_i32")):
        yield intrinsic(f"llvm.{word}.i32", two, "i32", f"v_{name} {{d}}, {{0}}, {{1}}")
    for word, opcode in (("quadmask", "s_quadmask_b32"), ("wqm", "s_wqm_b32")):
        scalar = f"v_readfirstlane_b32 s4, {{0}}\n {opcode} s5, s4\n v_mov_b32 {{d}}, s5"
        yield intrinsic(f"llvm.amdgcn.s.{word}.i32", one, "i32", scalar)
    replicate = "v_readfirstlane_b32 s4, {0}\n s_bitreplicate_b64_b32 s[6:7], s4\n v_mov_b64 {d}, s[6:7]"
    yield intrinsic("llvm.amdgcn.s.bitreplicate", one, "i64", replicate)


FOLDS = [*float_folds(), *integer_folds()]

_DIFFERENT = {
    "llvm.minnum": "IEEE mode returns a signalling NaN, quieted (V_MIN_F32); LLVM may return the number",
    "llvm.maxnum": "as llvm.minnum",
    "llvm.amdgcn.fmed3": "as llvm.minnum",
}
"""Why signalling NaN are left out of the points of these."""


def _values(kind: str, seed: int) -> np.ndarray:
    generator = np.random.default_rng(seed)
    if kind in FLOATS:
        return np.concatenate([generator.choice(edges(kind), POINTS - 20), random_bits(kind, 20, seed)])
    bits = SIZES[kind]
    edge = np.array(INTEGERS, np.uint64) & np.uint64(2**bits - 1)
    random = generator.integers(0, 2**bits, 30, dtype=np.uint64)
    return np.concatenate([generator.choice(edge, POINTS - 30), random])


def points_of(fold: Fold) -> list[tuple[int, ...]]:
    columns = [_values(kind, 17 * place + len(fold.name)) for place, kind in enumerate(fold.kinds)]
    points = list(zip(*[column.tolist() for column in columns], strict=True))
    if any(fold.name.startswith(name) for name in _DIFFERENT):
        formats = [FORMATS.get(kind) for kind in fold.kinds]
        points = [
            p for p in points if not any(f and f.signalling(b) for f, b in zip(formats, p, strict=True))
        ]
    return points


def emulated(fold: Fold, points: list[tuple[int, ...]]) -> list[int]:
    """The same points by the emulator; a scalar opcode takes one point a wave."""
    alone = "readfirstlane" in fold.text
    if alone:
        return [
            bits for at in range(0, len(points), 16) for bits in _executed(fold, points[at : at + 16], alone)
        ]
    return _executed(fold, points, alone)


def _executed(fold: Fold, points: list[tuple[int, ...]], alone: bool) -> list[int]:
    registers = [
        f"v[{2 + 2 * at}:{3 + 2 * at}]" if SIZES[kind] == 64 else f"v{2 + 2 * at}"
        for at, kind in enumerate(fold.kinds)
    ]
    wide = SIZES[fold.result] == 64
    waves = len(points) if alone else -(-len(points) // 64)

    def setup(state: State) -> None:
        for at in range(len(fold.kinds)):
            column = np.array([point[at] for point in points], np.uint64)
            for part in (0, 1):
                dwords = (column >> np.uint64(32 * part)).astype(np.uint32)
                padded = np.repeat(dwords, 64) if alone else np.pad(dwords, (0, 64 * waves - len(points)))
                state.vgpr[2 + 2 * at + part] = padded.reshape(waves, 64)

    text = fold.text.format(*registers, d="v[10:11]" if wide else "v10")
    outcome = execute(text, setup, waves=waves)
    step = 64 if alone else 1
    low = outcome.v(10).ravel()[::step][: len(points)].astype(np.uint64)
    high = outcome.v(11).ravel()[::step][: len(points)].astype(np.uint64)
    bits = (low | high << np.uint64(32) if wide else low) & np.uint64(2 ** SIZES[fold.result] - 1)
    return bits.tolist()


def _agree(fold: Fold, found: int, expected: int) -> bool:
    if found == expected:
        return True
    form = FORMATS.get(fold.result)
    if form is not None:
        return ulps(found, expected, form) <= fold.bound
    if fold.result == "v2f16":
        half = FORMATS["f16"]
        return all(ulps(found >> at & 0xFFFF, expected >> at & 0xFFFF, half) == 0 for at in (0, 16))
    return False


def test_llvm_folds_to_the_same_values() -> None:
    every = [points_of(fold) for fold in FOLDS]
    constants = folded(FOLDS, every)
    assert sum(each is not None for some in constants for each in some) > 5000
    wrong, left = [], []
    for fold, points, expected in zip(FOLDS, every, constants, strict=True):
        if all(each is None for each in expected):
            left.append(fold.name)
            continue
        for point, found, wanted in zip(points, emulated(fold, points), expected, strict=True):
            if wanted is not None and not _agree(fold, found, wanted):
                shown = ", ".join(f"{bits:#x}" for bits in point)
                wrong.append(f"{fold.name} ({shown}): {found:#x}, LLVM {wanted:#x}")
    assert not wrong, "\n".join([f"{len(wrong)} differences", *wrong[:40]])
    assert set(left) <= NOT_FOLDED, sorted(set(left) - NOT_FOLDED)


NOT_FOLDED = frozenset(("llvm.amdgcn.mul.i24.i32", "llvm.amdgcn.mul.u24.i32"))
"""Intrinsics that LLVM 22 leaves as they are."""
