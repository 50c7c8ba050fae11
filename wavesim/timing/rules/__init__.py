"""The timing model's rules, one a file: importing this package finds them all.

``TimingParameters.rules_off`` names rules that are switched off, for ablation and for what-ifs.

To add one, write ``wavesim/timing/rules/NAME.py``:

- Its docstring says what is delayed, by how much and until when.
- ``RULE`` is a :class:`~wavesim.timing.rule.Rule` of the same name.
- What others than the engines ask of the rule is a plain function there: the earliest clock that it
  permits, the rows that it counts from, the clocks that it takes. Attribution of measured stalls
  (``replays/``) and explanation import it from there and restate nothing. The SimPy model does so too
  where no process is needed for it. The compiled twin is written from the page alone.

A rule takes six places: this file, the SimPy model, the twin, machine data, a test, and a heading of its
own on a page of docs/model.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from importlib import import_module
from pkgutil import iter_modules
from types import MappingProxyType

from wavesim.errors import UserError
from wavesim.isa.timing_parameters import TimingParameters
from wavesim.timing.rule import Rule
from wavesim.trace import Trace

_FOUND: list[Rule] = [import_module(f"{__name__}.{module.name}").RULE for module in iter_modules(__path__)]

RULES: tuple[Rule, ...] = tuple(sorted(_FOUND, key=lambda rule: (rule.section, rule.name)))
"""In the order of docs/model, those of a page by name."""

BY_NAME: Mapping[str, Rule] = MappingProxyType({rule.name: rule for rule in RULES})


def without(parameters: TimingParameters, names: Iterable[str]) -> TimingParameters:
    """The parameters with the named rules switched off as well.

    Raises:
        UserError: no such rule.
    """
    names = frozenset(names)
    for name in sorted(names):
        if name not in BY_NAME:
            raise UserError(f"no rule {name!r:.40}", hint="rules: " + ", ".join(BY_NAME))
    return replace(parameters, rules_off=parameters.rules_off | names)


def plain_inputs(trace: Trace, parameters: TimingParameters) -> tuple[Trace, TimingParameters]:
    """Trace and parameters in which the rules switched off have no effect; engine rules stay named.

    Raises:
        UserError: ``rules_off`` names no such rule.
    """
    off = without(parameters, parameters.rules_off).rules_off
    for rule in RULES:
        if rule.name in off:
            trace, parameters = rule.leave_out(trace, parameters)
    return trace, parameters
