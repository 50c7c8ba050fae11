"""What a rule of `wavesim check` is: its id, usual severity, what it reads, and what it says."""

from __future__ import annotations

from dataclasses import dataclass

from wavesim.program import Severity

DOCS = "docs/checks"


@dataclass(frozen=True, slots=True)
class Rule:
    """``severity`` is the usual one; a finding may be milder. ``needs``: what the rule reads."""

    id: str
    severity: Severity
    needs: str
    short: str
    full: str

    @property
    def name(self) -> str:
        """The id as a name: ``missing-wait`` -> ``MissingWait``."""
        return "".join(part.capitalize() for part in self.id.split("-"))

    @property
    def page(self) -> str:
        """The page of the docs, from the project's root."""
        return f"{DOCS}/{self.id}.md"


CODE, EXECUTION, LOADING = "code", "execution", "loading"
"""Every path of the code; what the waves did; the kernel's description."""
