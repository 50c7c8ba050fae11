"""Everything that is asked of the chip: parts by name, found with what a reader says."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

from wavesim.calibrate.chip.clock import find_clock
from wavesim.calibrate.chip.fetch import find_fetch
from wavesim.calibrate.chip.flight import find_flight
from wavesim.calibrate.chip.found import Part
from wavesim.calibrate.chip.levels import find_levels
from wavesim.calibrate.chip.probe import Reader
from wavesim.calibrate.chip.streams import find_streams
from wavesim.calibrate.device.base import DeviceProperties
from wavesim.isa.machine import Machine

PARTS: Mapping[str, str] = {
    "chip_levels": "a pointer chase over growing footprints: capacities of L1, L2 and Infinity Cache",
    "chip_streams": "all compute units read or write at once: bandwidth of each level",
    "chip_flight": "bursts of loads of each width: how many are on their way at most",
    "chip_clock": "MFMA of growing density: first and sustained clock, and power",
    "chip_fetch": "code of growing size: the instruction cache, its lines, misses and reach ahead",
}
"""Name, for --only -> what it is."""


def find_chip(
    machine: Machine, properties: DeviceProperties, read: Reader, wanted: Collection[str]
) -> dict[str, Part]:
    """The parts that are wanted and that the reader has numbers for."""
    found: dict[str, Part] = {}
    virtual = properties.virtual
    for name in PARTS:
        if name not in wanted:
            continue
        try:
            if name == "chip_levels":
                found[name] = find_levels(machine, read)
            elif name == "chip_streams":
                sized = _with_sizes(machine, found.get("chip_levels"))
                found[name] = find_streams(sized, properties.compute_units, virtual, read)
            elif name == "chip_flight":
                found[name] = find_flight(machine, read)
            elif name == "chip_clock":
                found[name] = find_clock(machine, virtual, read)
            else:
                found[name] = find_fetch(machine, read)
        except KeyError:
            continue  # samples without these probes
    return found


def _with_sizes(machine: Machine, levels: Part | None) -> Machine:
    """The machine with the capacities that were found, by which streams are made as long as they must be."""
    quantities = dict(machine.quantities)
    for each in levels.values if levels is not None else ():
        if each.determined:
            quantities[each.key] = replace(quantities[each.key], value=each.value)
    return replace(machine, quantities=quantities)
