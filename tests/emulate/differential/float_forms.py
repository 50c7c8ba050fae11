"""All forms of the float opcodes whose reference is in reference_float: encodings and modifiers."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from forms import OLD, Env, Form, Reference
from reference_float import ONE, ONE_SHORT, THREE, TWO, Rule, Value
from reference_numbers import F16, FORMATS, NEAREST, Format, product

from wavesim.isa.opcodes import opcode_table

KEEPS_HIGH = frozenset(("v_mad_f16", "v_fma_f16", "v_div_fixup_f16"))
"""f16 results beside which the upper half stays (CDNA3 ISA; the _legacy forms clear it)."""
NEAREST_ALWAYS = frozenset((*ONE, *ONE_SHORT))


@dataclass(frozen=True)
class Source:
    """How a source is taken: changes of sign, and which half (f16)."""

    negate: bool = False
    absolute: bool = False
    high: bool = False

    def text(self, slot: int) -> str:
        inner = f"{{{slot}}}"
        inner = f"|{inner}|" if self.absolute else inner
        return f"-{inner}" if self.negate else inner

    def value(self, bits: int, form: Format, flush: bool) -> Value:
        raw = bits >> (16 if self.high else 0) & (1 << form.bits) - 1
        sign = 1 << (form.bits - 1)
        raw = raw & ~sign if self.absolute else raw
        raw = raw ^ sign if self.negate else raw
        value = form.decode(raw)
        return Value(form.flush(value) if flush else value, form.signalling(raw))


PLAIN, NEGATED, ABSOLUTE, BOTH = Source(), Source(True), Source(False, True), Source(True, True)


@dataclass(frozen=True)
class Output:
    """What happens to a result: factor, clamp, and where its half goes."""

    factor: float = 1.0
    clamp: bool = False
    place: str = ""

    def apply(self, value: float, form: Format, env: Env) -> int:
        if self.factor != 1 and not env.ieee and env.flushes(form.name):
            value = form.flush(form.round(product(value, self.factor))) + 0.0
        if self.clamp:
            limited = min(value, 1.0) if value > 0 else 0.0
            value = limited if value == value or env.dx10 else value
        bits = form.encode(value)
        if form.bits != 16:
            return bits
        if self.place == "high":
            return OLD & 0xFFFF | bits << 16
        if self.place == "keep":
            return OLD & 0xFFFF0000 | bits
        if self.place == "high_pad":
            return bits << 16
        if self.place == "sext":
            return bits | (0xFFFF0000 if bits >> 15 else 0)
        return bits


def reference(
    rule: Rule, kind: str, sources: Sequence[Source], output: Output, *, nearest: bool, no_denormals: bool
) -> Reference:
    """The reference function of a form whose sources and result are of one float type."""
    form, single = FORMATS[kind], kind == "f32"

    def run(env: Env, bits: Sequence[int]) -> int:
        flush = no_denormals or env.flushes(kind)
        values = [source.value(each, form, flush) for source, each in zip(sources, bits, strict=True)]
        mode = NEAREST if nearest else env.rounding(single)
        result = form.round(rule(env, form, mode, values), mode)
        if env.overflow and form is F16 and math.isinf(result) and not any(math.isinf(v.x) for v in values):
            result = math.copysign(65504.0, result)
        if flush:
            result = form.flush(result)
        return output.apply(result, form, env)

    return run


def _forms(opcode: str, rule: Rule, kind: str, count: int, bound: float, nearest: bool) -> Iterator[Form]:
    info = opcode_table().get(opcode)
    if info is None:
        return
    arch = "gfx942" if "gfx942" in info.archs else info.archs[-1] if "gfx950" not in info.archs else "gfx950"
    vop3_only = info.format == "VOP3"
    keep = "keep" if opcode in KEEPS_HIGH else ""

    def make(encoding: str, sources: Sequence[Source], output: Output, tail: str = "") -> Form:
        operands = ", ".join(source.text(slot) for slot, source in enumerate(sources))
        flush = opcode == "v_mad_f32"  # it has no denormals (LLVM selects it only where MODE flushes them)
        function = reference(rule, kind, sources, output, nearest=nearest, no_denormals=flush)
        text = f"{opcode}{encoding} {{d}}, {operands} {tail}".rstrip()
        shift = 16 if output.place.startswith("high") else 0
        return Form(text, (kind,) * count, kind, function, bound, arch, shift)

    plain = [PLAIN] * count
    normal = Output(place=keep)
    e64 = "" if vop3_only else "_e64"
    if not vop3_only:
        yield make("_e32", plain, normal)
    yield make(e64, plain, normal)
    for slot in range(count):
        for changed in (NEGATED, ABSOLUTE, BOTH):
            yield make(e64, [changed if place == slot else PLAIN for place in range(count)], normal)
    if count > 1:
        yield make(e64, [BOTH, *[NEGATED] * (count - 1)], normal)
    yield make(e64, plain, Output(clamp=True, place=keep), "clamp")
    yield make(e64, [NEGATED, *plain[1:]], Output(clamp=True, place=keep), "clamp")
    for text, factor in (("mul:2", 2.0), ("mul:4", 4.0), ("div:2", 0.5)):
        if not (kind == "f16" and vop3_only):  # forms with op_sel have no factor
            yield make(e64, plain, Output(factor=factor, place=keep), text)
    if kind == "f16" and vop3_only and "legacy" not in opcode:
        for slot in range(count):
            picks = [int(place == slot) for place in range(count)]
            chosen = [Source(high=bool(pick)) for pick in picks]
            yield make("", chosen, Output(place=keep or "keep"), f"op_sel:[{','.join(map(str, picks))},0]")
        yield make("", plain, Output(place="high"), f"op_sel:[{','.join('0' * count)},1]")
    if vop3_only or kind == "f64":
        return
    yield make("_dpp", plain, normal, "quad_perm:[0,1,2,3] row_mask:0xf bank_mask:0xf")
    yield make("_dpp", [BOTH, *plain[1:]], normal, "quad_perm:[0,1,2,3] row_mask:0xf bank_mask:0xf")
    halves = [("src0_sel", 0), ("src1_sel", 1)][:count]
    if kind == "f32":
        select = " ".join(f"{name}:DWORD" for name, _ in halves)
        yield make("_sdwa", [NEGATED, *plain[1:]], normal, f"dst_sel:DWORD dst_unused:UNUSED_PAD {select}")
        yield make("_sdwa", plain, Output(clamp=True), f"clamp dst_sel:DWORD dst_unused:UNUSED_PAD {select}")
        return
    for high in (False, True):
        word = "WORD_1" if high else "WORD_0"
        select = " ".join(f"{name}:{word}" for name, _ in halves)
        chosen = [Source(high=high)] * count
        for unused, place in (
            ("UNUSED_PRESERVE", "high" if high else "keep"),
            ("UNUSED_PAD", "high_pad" if high else ""),
        ):
            yield make("_sdwa", chosen, Output(place=place), f"dst_sel:{word} dst_unused:{unused} {select}")
    select = " ".join(f"{name}:WORD_1" for name, _ in halves)
    tail = f"dst_sel:WORD_0 dst_unused:UNUSED_SEXT {select}"
    yield make("_sdwa", [Source(high=True)] * count, Output(place="sext"), tail)


def float_forms() -> list[Form]:
    """Every form, grouped by the order of the tables."""
    found: list[Form] = []
    for kind in ("f32", "f16", "f64"):
        for name, (rule, bound) in (*ONE.items(), *ONE_SHORT.items()):
            found += _forms(f"v_{name}_{kind}", rule, kind, 1, bound, True)
        for name, rule in TWO.items():
            found += _forms(f"v_{name}_{kind}", rule, kind, 2, 0, False)
        for name, rule in THREE.items():
            found += _forms(f"v_{name}_{kind}", rule, kind, 3, 0, False)
    for name in ("fma", "mad", "div_fixup"):
        found += _forms(f"v_{name}_legacy_f16", THREE[name], "f16", 3, 0, False)
    found += _forms("v_rcp_iflag_f32", ONE["rcp"][0], "f32", 1, 1, True)
    for name in ("exp", "log"):
        found += _forms(f"v_{name}_legacy_f32", ONE_SHORT[name][0], "f32", 1, 1, True)
    return found
