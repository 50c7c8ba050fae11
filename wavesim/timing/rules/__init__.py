"""The timing model's rules, one a file: what is in this folder is what there is.

``TimingParameters.rules_off`` names rules that are switched off, for ablation and for what-ifs.

To add one, write ``wavesim/timing/rules/NAME.py``:

- Its docstring says what is delayed, by how much and until when.
- ``RULE`` is a :class:`~wavesim.timing.rule.Rule` of the same name.
- What others than the engines ask of the rule is a plain function there: the earliest clock that it
  permits, the rows that it counts from, the clocks that it takes. Attribution of measured stalls
  (``replays/``) and explanation import it from there and restate nothing. The SimPy model does so too
  where no process is needed for it. The compiled twin is written from the page alone.

Beside this file a rule takes the SimPy model, the twin, a test, and a heading on a page of docs/model. A
number of its own is a field of :class:`~wavesim.isa.timing_parameters.TimingParameters` and a line in
``isa/gfx942.yaml``; another architecture's file has one where it differs. engine.c names the field. A gap
(``gaps``) needs no line in the SimPy model.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from wavesim.errors import UserError
from wavesim.isa.timing_parameters import TimingParameters
from wavesim.timing.gap import Gap
from wavesim.timing.rule import Rule
from wavesim.trace import Trace


class RulesByName(Mapping[str, Rule]):
    """Every file of this package by its name. A file is read when its rule is asked for."""

    def __getitem__(self, name: str) -> Rule:
        if name not in self._names():
            raise KeyError(name)
        rule: Rule = import_module(f"{__name__}.{name}").RULE
        return rule

    def __contains__(self, name: object) -> bool:
        return name in self._names()

    def __iter__(self) -> Iterator[str]:
        return iter(self._names())

    def __len__(self) -> int:
        return len(self._names())

    @staticmethod
    @cache
    def _names() -> tuple[str, ...]:
        return tuple(sorted(module.name for module in iter_modules(__path__)))


class RulesInOrder(Collection[Rule]):
    """The rules in the order of docs/model, those of a page by name."""

    def __contains__(self, rule: object) -> bool:
        return rule in self._rules()

    def __iter__(self) -> Iterator[Rule]:
        return iter(self._rules())

    def __len__(self) -> int:
        return len(BY_NAME)

    @staticmethod
    @cache
    def _rules() -> tuple[Rule, ...]:
        return tuple(sorted(BY_NAME.values(), key=lambda rule: (rule.section, rule.name)))


BY_NAME = RulesByName()
RULES = RulesInOrder()


@cache
def gaps() -> tuple[Gap, ...]:
    """Those of all rules."""
    return tuple(gap for rule in RULES for gap in rule.gaps)


def summary(name: str) -> str:
    """What a rule says, in the first sentence of its file."""
    text = import_module(f"{__name__}.{name}").__doc__ or ""
    return " ".join(text.split("\n\n")[0].split())


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
    for name in sorted(off):
        trace, parameters = BY_NAME[name].leave_out(trace, parameters)
    return trace, parameters
