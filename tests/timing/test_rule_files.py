"""What the files of wavesim/timing/rules say of their rules is so: names, pages, parameters, reasons."""

from __future__ import annotations

import json
import re
from dataclasses import fields
from pathlib import Path
from random import Random

import pytest
import random_traces
from click.testing import CliRunner

from wavesim.cli.isa import isa
from wavesim.isa.schema import PARAMETERS, parameter_key
from wavesim.isa.timing_parameters import TimingParameters
from wavesim.timing import ENGINES, simulate
from wavesim.timing import rules as package
from wavesim.timing.compiled.engine import loaded
from wavesim.timing.compiled.inputs import FIELD
from wavesim.timing.compiled.library import names
from wavesim.timing.rule import Rule
from wavesim.timing.rules import BY_NAME, RULES, without
from wavesim.trace import Reason, Timeline

MODEL = Path(package.__file__).parent.parent / "model"
rule_by_rule = pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)


def test_every_file_holds_the_rule_of_its_name() -> None:
    files = {path.stem for path in Path(package.__file__).parent.glob("*.py")} - {"__init__"}
    assert files == set(BY_NAME)


@rule_by_rule
def test_parameters_are_those_of_machine_files(rule: Rule) -> None:
    assert set(rule.parameters) <= {field.name for field in fields(TimingParameters)}


def test_engines_ask_for_the_rules_that_say_so() -> None:
    """Both, each by the names in its own files. The rank of a scaled MFMA is made before time runs."""
    asked = {rule.name for rule in RULES if rule.in_engine}
    text = "".join(path.read_text() for path in MODEL.glob("*.py"))
    assert set(re.findall(r'"(\w+)"(?: not)? in (?:self\.)?(?:p\.rules_off|off\b)', text)) == asked
    parameters = names(loaded().wavesim_parameters())
    assert {*(set(parameters) & set(BY_NAME)), "scaled_mfma_first"} == asked


def test_the_twin_names_a_number_in_full_or_by_a_key_of_one_section() -> None:
    keys = [parameter_key(name).partition(".")[2] for name in PARAMETERS]
    short = (set(names(loaded().wavesim_parameters())) & set(FIELD)) - set(PARAMETERS)
    assert all(keys.count(name) == 1 for name in short)


def test_isa_rules_lists_each_with_what_it_says() -> None:
    listed = json.loads(CliRunner().invoke(isa, ["rules", "--json"], catch_exceptions=False).stdout)["rules"]
    assert [each["name"] for each in listed] == [rule.name for rule in RULES]
    assert all(each["says"].endswith(".") for each in listed)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("rule", [rule for rule in RULES if rule.reasons], ids=lambda rule: rule.name)
def test_reasons_of_a_rule_go_with_it(engine: str, rule: Rule) -> None:
    """On random traces every reason that is a rule's alone is seen, and without the rule it is not."""
    seen: set[Reason] = set()
    for seed in range(60):
        random = Random(seed)
        arch = ("gfx942", "gfx950")[seed % 2]
        p = random_traces.random_parameters(random, arch)
        trace = random_traces.random_trace(random, arch)
        left_out = simulate(trace, without(p, [rule.name]), engine=engine)
        assert not reasons(left_out) & set(rule.reasons), seed
        seen |= reasons(simulate(trace, p, engine=engine))
    assert set(rule.reasons) <= seen


def reasons(timeline: Timeline) -> set[Reason]:
    return {Reason(each) for wave in timeline.waves for each in wave.stall_reason.tolist()}
