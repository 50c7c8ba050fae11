"""The tables of docs/trust.md, made from wavesim's data: `python tests/update_docs.py` writes them."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from wavesim.isa.load import load_machine
from wavesim.isa.names import stock_machines
from wavesim.isa.validated import ValidatedTrace, validated_traces
from wavesim.timing.memory.predict import INTERVALS, UNMEASURED_INTERVAL

PAGE = Path(__file__).resolve().parent.parent / "docs" / "trust.md"
END = "<!-- end -->"
CONFIDENCES = ("vendor", "measured", "trace", "inferred", "assumed")


def _table(*rows: tuple[object, ...]) -> str:
    lines = ["| " + " | ".join(map(str, row)) + " |" for row in rows]
    return "\n".join([lines[0], "|---" * len(rows[0]) + "|", *lines[1:]])


def _errors(traces: list[ValidatedTrace]) -> tuple[str, str, str]:
    sizes = sorted(100 * abs(trace.error) for trace in traces)
    if not sizes:
        return "0", "-", "-"
    middle = (sizes[(len(sizes) - 1) // 2] + sizes[len(sizes) // 2]) / 2
    return str(len(sizes)), f"{middle:.1f} %", f"{sizes[-1]:.1f} %"


def traces() -> str:
    """Errors of the replays by architecture and by what the kernels are made of."""
    rows: list[tuple[object, ...]] = [
        ("architecture", "kernels", "traces", "median error", "largest error", "MFMAs in them")
    ]
    for arch in stock_machines():
        found = validated_traces().get(arch, ())
        for what, wanted in (("with MFMA", True), ("without", False)):
            some = [each for each in found if wanted == any("mfma" in name for name in each.classes)]
            used = sorted({name for each in some for name in each.classes if "mfma" in name})
            if some or (wanted and not found):
                rows.append((arch, what if some else "none", *_errors(some), ", ".join(used) or "-"))
    return _table(*rows)


def intervals() -> str:
    """What a prediction says of itself, by architecture."""
    rows: list[tuple[object, ...]] = [("architecture", "range", "rests on")]
    for arch in stock_machines():
        measured = arch in INTERVALS
        share = INTERVALS.get(arch, UNMEASURED_INTERVAL)
        rows.append(
            (
                arch,
                f"± {100 * share:.0f} %",
                "kernels left out of the fit" if measured else "an assumption",
            )
        )
    return _table(*rows)


def numbers() -> str:
    """How many numbers of each machine have which confidence."""
    rows: list[tuple[object, ...]] = [("machine", *CONFIDENCES)]
    for arch in stock_machines():
        counts = Counter(each.confidence for each in load_machine(arch).quantities.values())
        assert set(counts) <= set(CONFIDENCES)
        rows.append((arch, *(counts[name] for name in CONFIDENCES)))
    return _table(*rows)


def with_tables(text: str) -> str:
    """The page's text with its tables as they are now."""
    for name, make in (("traces", traces), ("intervals", intervals), ("numbers", numbers)):
        begin = f"<!-- made by tests/trust_tables.py: {name} -->"
        before, found, rest = text.partition(begin)
        assert found, name
        text = f"{before}{begin}\n\n{make()}\n\n{END}{rest.partition(END)[2]}"
    return text
