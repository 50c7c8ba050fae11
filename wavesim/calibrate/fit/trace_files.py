"""What calibration from traces writes: a machine file with provenance, and the report in text and JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from wavesim.calibrate.fit.from_traces import MOST_ROWS, SKIPPED, Estimate, LeftOut
from wavesim.isa.machine import Machine
from wavesim.words import counted


def machine_file(base: str, machine: Machine, estimates: Sequence[Estimate], traces: Sequence[str]) -> str:
    """An overlay of ``base`` that holds every determined value, with how it was found.

    Args:
        base: name or path for ``base:``.
        machine: what the calibration began with; whole tables (``lds.write_hold_clk``) are written from it.
        estimates: what was found.
        traces: names of the traces, for the sources.
    """
    source = f"wavesim calibrate --trace, {counted(len(traces), 'trace')}"
    sections: dict[str, dict[str, str]] = {}
    tables: dict[tuple[str, str], list[Estimate]] = {}
    for one in estimates:
        if not one.determined:
            continue
        section, key, *index = one.name.split(".")
        if index:
            tables.setdefault((section, key), []).append(one)
            continue
        sections.setdefault(section, {})[key] = _entry(machine, f"{section}.{key}", one.value, source, [one])
    for (section, key), members in tables.items():
        value = machine.quantities[f"{section}.{key}"].value
        assert isinstance(value, Mapping)
        table: dict[Any, Any] = dict(value)
        for one in members:
            table[int(one.name.split(".")[2])] = one.value
        text = "{" + ", ".join(f"{width}: {clk}" for width, clk in table.items()) + "}"
        sections.setdefault(section, {})[key] = _entry(machine, f"{section}.{key}", text, source, members)
    lines = [
        "# Made by wavesim calibrate --trace: every value with its interval and number of observations.",
        *(f"# trace: {name}" for name in traces),
        f"base: {base}",
    ]
    for section, entries in sections.items():
        lines.append(f"{section}:")
        lines += [f"  {key}: {entry}" for key, entry in entries.items()]
    return "\n".join(lines) + "\n"


def _entry(machine: Machine, key: str, value: object, source: str, members: Sequence[Estimate]) -> str:
    about = "; ".join(
        f"{one.name}: {one.value} (90 % interval {one.low} to {one.high}, {one.observations} observations, "
        f"{one.stock} before)"
        for one in members
    )
    unit = machine.quantities[key].unit
    return f'{{value: {value}, unit: {unit}, source: "{source}", confidence: trace, note: "{about}"}}'


def report_lines(
    arch: str, estimates: Sequence[Estimate], left_out: Sequence[LeftOut], traces: Sequence[str]
) -> Iterator[str]:
    """The report: values, what could not be determined, leave-one-trace-out errors."""
    yield f"{arch}, from {counted(len(traces), 'trace')}: {', '.join(traces)}"
    yield ""
    yield f"{'value':<28}{'stock':>8}{'found':>8}{'90 % interval':>18}{'observations':>15}"
    for one in estimates:
        if one.determined:
            interval = f"{one.low} to {one.high}"
            mark = "" if one.value == one.stock else "  changed"
            yield f"{one.name:<28}{one.stock:>8}{one.value:>8}{interval:>18}{one.observations:>15,}{mark}"
    yield ""
    yield "not determined:"
    for one in estimates:
        if not one.determined:
            yield f"  {one.name:<26}{one.why} ({one.observations:,} observations; stays {one.stock})"
    for name, why in SKIPPED.items():
        yield f"  {name:<26}{why}"
    yield ""
    if not left_out:
        yield "leave-one-trace-out: not possible with one trace"
        return
    yield "leave-one-trace-out: error of clk/iteration (or span), with what the other traces determine"
    yield f"  {'trace':<44}{'stock %':>10}{'fitted %':>10}"
    for trace in left_out:
        yield f"  {trace.name:<44}{100 * trace.stock_error:>+10.2f}{100 * trace.error:>+10.2f}"
    means = [
        100 * sum(abs(error) for error in errors) / len(left_out)
        for errors in ([one.stock_error for one in left_out], [one.error for one in left_out])
    ]
    yield f"  {'mean of absolute errors':<44}{means[0]:>10.2f}{means[1]:>10.2f}"


def report_json(
    arch: str, estimates: Sequence[Estimate], left_out: Sequence[LeftOut], traces: Sequence[str]
) -> dict[str, Any]:
    """The same as data."""
    return {
        "arch": arch,
        "traces": list(traces),
        "rows_per_trace": MOST_ROWS,
        "values": [
            {
                "name": one.name,
                "value": one.value,
                "stock": one.stock,
                "interval": [one.low, one.high],
                "observations": one.observations,
                "determined": one.determined,
                "why_not": one.why or None,
            }
            for one in estimates
        ],
        "skipped": dict(SKIPPED),
        "leave_one_out": [
            {"trace": one.name, "error": one.error, "stock_error": one.stock_error} for one in left_out
        ],
    }
