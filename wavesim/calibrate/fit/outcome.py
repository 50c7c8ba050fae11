"""Outcome: the machine file and the report of a calibration with microbenchmarks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from wavesim.calibrate.bench.lane_phases import FoundPhases, same_phases
from wavesim.calibrate.bench.samples import Samples
from wavesim.calibrate.fit.chip_outcome import NO_CHIP, Chip, chip_entries, chip_json, value_json
from wavesim.calibrate.fit.search import FitResult, Fitted
from wavesim.isa.machine import Machine

TABLE = "mfma_table"

PhaseTable = Mapping[tuple[str, int], FoundPhases]
"""By kind (read, write) and bytes per lane."""

NOTHING: PhaseTable = MappingProxyType({})


def machine_file(
    machine: Machine,
    result: FitResult,
    samples: Samples,
    phases: PhaseTable = NOTHING,
    chip: Chip = NO_CHIP,
) -> str:
    """An overlay of the stock machine with every determined value, its interval and where it comes from."""
    device = samples.properties
    repeats = max((len(each) for each in samples.clk.values()), default=0)
    source = f"wavesim calibrate on {device.name}"
    head = [
        "# Made by wavesim calibrate.",
        f"# device: {device.name}, {device.arch}, {device.compute_units} CUs, {device.clock_mhz:g} MHz",
        f"# driver {device.driver}, runtime {device.runtime}, {samples.date}, {repeats} repeats",
        *(
            ["# This device is wavesim's own model, not a GPU: nothing here was measured."]
            if device.virtual
            else []
        ),
        f"base: {machine.arch}",
    ]
    sections: dict[str, dict[str, str]] = {}
    tables: dict[tuple[str, str], list[Fitted]] = {}
    confidence = "assumed" if device.virtual else "measured"
    for each in result.fitted:
        if not each.determined:
            continue
        section, key, *index = each.name.split(".")
        if section == TABLE:
            tables.setdefault(("mfma", "passes"), []).append(each)
        elif index:
            tables.setdefault((section, key), []).append(each)
        else:
            entry = _entry(machine, f"{section}.{key}", str(each.value), [each], source, confidence)
            sections.setdefault(section, {})[key] = entry
    for (section, key), members in tables.items():
        stock = machine.quantities[f"{section}.{key}"].value
        assert isinstance(stock, Mapping)
        table: dict[Any, float] = dict(stock)
        for each in members:
            name = each.name.split(".")[-1]
            table[name if key == "passes" else int(name)] = each.value
        text = "{" + ", ".join(f"{name}: {value}" for name, value in table.items()) + "}"
        entry = _entry(machine, f"{section}.{key}", text, members, source, confidence)
        sections.setdefault(section, {})[key] = entry
    for key, text in _phase_texts(phases):
        entry = _entry(machine, f"lds.{key}", text, [], source, confidence)
        sections.setdefault("lds", {})[key] = entry
    for section, key, entry in chip_entries(machine, chip, source, virtual=device.virtual):
        sections.setdefault(section, {})[key] = entry
    for section, entries in sections.items():
        head.append(f"{section}:")
        head += [f"  {key}: {entry}" for key, entry in entries.items()]
    return "\n".join(head) + "\n"


def _phase_texts(phases: PhaseTable) -> Iterator[tuple[str, str]]:
    """Key and value, as YAML, of the tables that were found."""
    for (kind, width), found in phases.items():
        if found.phases is not None:
            groups = ", ".join(f'"{lane_ranges(lanes)}"' for lanes in found.phases.phases)
            yield f"{kind}_b{8 * width}_phases", f"[{groups}]"
            yield f"{kind}_b{8 * width}_banks", str(found.phases.banks)


def _entry(machine: Machine, key: str, text: str, members: list[Fitted], source: str, confidence: str) -> str:
    unit = machine.quantities[key].unit
    intervals = "; ".join(
        f"{each.low} to {each.high}, {each.observations} clocks, stock {each.stock}" for each in members[:4]
    )
    note = f"interval {intervals}" + ("; ..." if len(members) > 4 else "") if members else "exact"
    return f'{{value: {text}, unit: {unit}, source: "{source}", confidence: {confidence}, note: "{note}"}}'


def lane_ranges(lanes: Sequence[int]) -> str:
    """``0-3,20-23``."""
    ranges: list[list[int]] = []
    for lane in lanes:
        if ranges and lane == ranges[-1][1] + 1:
            ranges[-1][1] = lane
        else:
            ranges.append([lane, lane])
    return ",".join(str(low) if low == high else f"{low}-{high}" for low, high in ranges)


def phase_lines(machine: Machine, phases: PhaseTable) -> Iterator[str]:
    """Lane phases as text: as the stock ones, other, or not determined."""
    if not phases:
        return
    yield "lanes that the LDS serves together"
    for (kind, width), found in phases.items():
        name = f"  ds_{kind}_b{8 * width}"
        if found.phases is None:
            yield f"{name:<18}not determined: {found.why}"
            continue
        same = same_phases(found.phases, machine.lds_phases[kind, width])
        groups = " | ".join(lane_ranges(lanes) for lanes in found.phases.phases)
        yield f"{name:<18}{found.phases.banks} banks, {'as stock' if same else f'changed: {groups}'}"


def report_lines(samples: Samples, result: FitResult) -> Iterator[str]:
    """The report as text: values, what is not determined, and the benchmarks that disagree."""
    device = samples.properties
    yield f"{device.name} ({device.arch}), {samples.date}"
    if not result.residuals:
        return
    yield ""
    yield f"{'value':<46}{'stock':>7}{'found':>7}  {'interval':<14}{'clocks':>7}"
    for each in result.fitted:
        if each.determined:
            changed = "" if each.value == each.stock else "  changed"
            numbers = (
                f"{each.stock:>7}{each.value:>7}  {f'{each.low} to {each.high}':<14}{each.observations:>7}"
            )
            yield f"{each.name:<46}{numbers}{changed}"
    unknown = [each for each in result.fitted if not each.determined]
    if unknown:
        yield ""
        yield "not determined, the stock value stays:"
        for each in unknown:
            yield f"  {each.name:<44}{each.stock:>7}  {each.why}"
    yield ""
    if result.good:
        yield f"good fit: all {len(result.residuals)} benchmarks agree with the model"
        return
    yield f"POOR FIT: {len(result.poor)} of {len(result.residuals)} benchmarks disagree with the model,"
    yield "whatever its numbers: a rule of it does not hold on this device"
    for residual in sorted(result.poor, key=lambda each: -abs(each.error_clk / max(each.measured_clk, 1.0))):
        share = 100 * residual.error_clk / max(residual.measured_clk, 1.0)
        yield (
            f"  {residual.benchmark:<40}measured {residual.measured_clk:8.0f} clk, simulated "
            f"{residual.simulated_clk:8.0f} ({share:+.0f} %)"
        )


def report_json(
    samples: Samples, result: FitResult, phases: PhaseTable = NOTHING, chip: Chip = NO_CHIP
) -> dict[str, Any]:
    """The same as data."""
    device = samples.properties
    return {
        "device": {
            "name": device.name,
            "arch": device.arch,
            "virtual": device.virtual,
            "compute_units": device.compute_units,
            "clock_mhz": device.clock_mhz,
            "driver": device.driver,
            "runtime": device.runtime,
        },
        "date": samples.date,
        "good": result.good,
        "values": [value_json(each.name, each) for each in result.fitted],
        "lane_phases": [
            {
                "access": f"ds_{kind}_b{8 * width}",
                "banks": found.phases.banks if found.phases else None,
                "phases": [lane_ranges(lanes) for lanes in found.phases.phases] if found.phases else None,
                "why": found.why,
            }
            for (kind, width), found in phases.items()
        ],
        "chip": chip_json(chip, virtual=device.virtual),
        "benchmarks": [
            {
                "name": each.benchmark,
                "measured_clk": each.measured_clk,
                "simulated_clk": each.simulated_clk,
                "poor": each.poor,
            }
            for each in result.residuals
        ],
    }
