"""What each rule of the timing model is worth: replays of a folder of traces without one rule at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from wavesim.errors import UserError
from wavesim.isa.load import load_machine
from wavesim.replays.att.clip import clipped
from wavesim.replays.att.dispatches import ANY, Source, Which, sources
from wavesim.replays.att.lds_addresses import find_conflicts
from wavesim.replays.compute_unit import memory_mode, replay
from wavesim.replays.validate import in_processes
from wavesim.timing.rules import RULES

ALL_RULES = tuple(rule.name for rule in RULES)

ABLATION_ROWS = 20_000
"""Instructions of each trace that are replayed without a rule, from the start: a few passes of the loop."""

Errors = dict[str, dict[str, float | None]]
"""Rule ("" for none) -> unit of a trace -> signed error, None where the replay failed."""


@dataclass(frozen=True, slots=True)
class Ablation:
    """The mean |error| over ``count`` units without ``rule`` (all rules: ""), the unit that changed most
    against all rules and its signed error; ``failed`` units could not be replayed."""

    rule: str
    mean_error: float
    count: int
    most_changed: str
    its_error: float
    failed: int = 0


def ablate_trace(
    source: Source, machine: str | None, rules: Sequence[str], most_rows: int = ABLATION_ROWS
) -> Errors:
    """Signed errors of one trace's beginning, measured latencies, with all rules and without each of
    ``rules``."""
    errors: Errors = {"": {}}
    try:
        imported = clipped(source.imported(machine=machine), most_rows)
        loaded = load_machine(imported.machine)
        conflicts = [find_conflicts(unit.trace, loaded) for unit in imported.units]
    except UserError:
        return {rule: {source.name: None} for rule in ("", *rules)}
    for rule in ("", *rules):
        names = [f"{source.name} {unit.name}" for unit in imported.units]
        try:
            results = replay(
                imported,
                loaded,
                memory_mode("measured"),
                without=[rule] if rule else [],
                conflicts=conflicts,
            )
            errors[rule] = dict(zip(names, (result.error for result in results), strict=True))
        except UserError:
            errors[rule] = dict.fromkeys(names)
    return errors


def ablate(
    folder: Path,
    machine: str | None = None,
    which: Which = ANY,
    *,
    rules: Sequence[str] = ALL_RULES,
    most_rows: int = ABLATION_ROWS,
    processes: int | None = None,
    progress: Callable[[str], None] | None = None,
) -> list[Ablation]:
    """The table: all rules first, then the rule that is worth most, and so on.

    Raises:
        UserError: the folder holds no trace.
    """
    calls = {each: (each, machine, rules, most_rows) for each in sources(folder, which)}
    parts = in_processes(ablate_trace, calls, processes, progress)
    merged: Errors = {rule: {} for rule in ("", *rules)}
    for part in parts.values():
        for rule, errors in part.items():
            merged[rule] |= errors
    found = [_summed(rule, merged[rule], merged[""]) for rule in merged]
    return [found[0], *sorted(found[1:], key=lambda one: -one.mean_error)]


def _summed(rule: str, errors: dict[str, float | None], base: dict[str, float | None]) -> Ablation:
    known = {name: error for name, error in errors.items() if error is not None}
    failed = len(errors) - len(known)
    if not known:
        return Ablation(rule, 0.0, 0, "", 0.0, failed)
    most = max(known, key=lambda name: abs(known[name] - (base.get(name) or 0.0)))
    mean = sum(abs(error) for error in known.values()) / len(known)
    return Ablation(rule, mean, len(known), most, known[most], failed)
