"""What each rule does, as a picture on and off: tests/golden/rules.txt, by both engines to the letter.

``python tests/update_golden.py`` makes the file anew. A picture that changed is to be looked at.
"""

from __future__ import annotations

from pathlib import Path

import builders as b
import pytest
from pictures import LEGEND, picture
from test_named_rules import CHANGES, SENSITIVE

from wavesim.timing import ENGINES, simulate
from wavesim.timing.rules import BY_NAME, RULES, without

GOLDEN = Path(__file__).parent.parent / "golden" / "rules.txt"


def section(name: str, engine: str) -> str:
    """The picture of a rule, on and off, of the run by which test_named_rules shows that it matters."""
    trace = SENSITIVE[name]()
    p = b.parameters(trace.arch, **CHANGES.get(name, {}))
    on, off = (simulate(trace, without(p, names), engine=engine) for names in ((), (name,)))
    lines = [f"{name}, {trace.arch}; off: {BY_NAME[name].off}", *picture([("on", on), ("off", off)])]
    return "\n".join(lines) + "\n"


def golden(engine: str = "auto") -> str:
    """The file."""
    return "\n".join(["\n".join(LEGEND) + "\n", *(section(rule.name, engine) for rule in RULES)])


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", BY_NAME)
def test_a_rule_looks_as_it_did(name: str, engine: str) -> None:
    pictures = GOLDEN.read_text("utf-8").split("\n\n")
    found = [each.rstrip() for each in pictures if each.startswith(f"{name}, ")]
    assert found == [section(name, engine).rstrip()]


def test_the_file_holds_nothing_else() -> None:
    assert GOLDEN.read_text("utf-8") == golden()
