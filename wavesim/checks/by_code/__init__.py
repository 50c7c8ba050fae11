"""Rules that judge every path of the code and need nothing else, one a file; importing this finds them.

To add one, write ``wavesim/checks/by_code/NAME.py`` with ``RULE``, a :class:`~wavesim.checks.rule.Rule`, and
``find(code)``, which gives its findings. ``docs/extending.md`` shows one made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from importlib import import_module
from pkgutil import iter_modules

from wavesim.checks.code_view import CodeView
from wavesim.checks.rule import Rule
from wavesim.program import Finding

_FOUND = [import_module(f"{__name__}.{module.name}") for module in iter_modules(__path__)]

RULES: tuple[Rule, ...] = tuple(module.RULE for module in _FOUND)

FINDERS: tuple[Callable[[CodeView], Iterable[Finding]], ...] = tuple(module.find for module in _FOUND)
