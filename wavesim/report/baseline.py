"""A baseline: findings that a project has decided to live with, so that only new ones count.

A finding is known by its file, rule and pattern (:mod:`wavesim.report.text.grouping`), and by how many of
them the file had. So it survives changes of lines and registers, and one more of the same is new.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from wavesim.errors import SourceSpan, UserError
from wavesim.program import Finding
from wavesim.report.text.grouping import form
from wavesim.source_text import read_text

SCHEMA, VERSION = "wavesim baseline", 1

Key = tuple[str, str, str, str]
"""File, rule, severity, pattern."""


@dataclass(frozen=True)
class Baseline:
    """How many findings of each kind are known."""

    counts: Mapping[Key, int]

    def new(self, file: str, findings: Iterable[Finding]) -> list[Finding]:
        """The findings of a kernel's file that are not known: of those that are alike the last ones."""
        left = dict(self.counts)
        found = []
        for finding in findings:
            key = _key(file, finding)
            if left.get(key, 0):
                left[key] -= 1
            else:
                found.append(finding)
        return found


def _key(file: str, finding: Finding) -> Key:
    return (Path(os.path.normpath(file)).as_posix(), *form(finding))


def baseline_text(found: Iterable[tuple[str, Iterable[Finding]]]) -> str:
    """The baseline file of what was found, by kernel file. Notes are left out: they fail nothing."""
    counts = Counter(_key(file, each) for file, findings in found for each in findings if each.is_bad)
    rows = [
        {"file": file, "rule": rule, "severity": severity, "pattern": pattern, "count": count}
        for (file, rule, severity, pattern), count in sorted(counts.items())
    ]
    return json.dumps({"schema": SCHEMA, "version": VERSION, "findings": rows}, indent=1) + "\n"


def read_baseline(path: Path) -> Baseline:
    """The baseline in a file.

    Raises:
        UserError: it cannot be read, or is no baseline of this version.
    """
    span = SourceSpan(str(path))
    hint = "wavesim check --write-baseline FILE makes one"
    try:
        data = json.loads(read_text(path))
    except json.JSONDecodeError as error:
        raise UserError(f"no JSON: {error.msg}", SourceSpan(str(path), error.lineno), hint) from None
    except RecursionError:
        raise UserError("nested too deeply", span, hint) from None
    if not isinstance(data, dict) or data.get("schema") != SCHEMA or data.get("version") != VERSION:
        raise UserError(f"no baseline of version {VERSION}", span, hint)
    rows = data.get("findings")
    counts: dict[Key, int] = {}
    for number, row in enumerate(rows if isinstance(rows, list) else [None]):
        names = ("file", "rule", "severity", "pattern")
        texts = [row.get(name) for name in names] if isinstance(row, dict) else []
        count = row.get("count") if isinstance(row, dict) else None
        right = len(texts) == len(names) and all(isinstance(text, str) for text in texts)
        if not right or type(count) is not int or count < 1:
            raise UserError(f"findings[{number}] is no finding with a count", span, hint)
        file, rule, severity, pattern = map(str, texts)
        counts[file, rule, severity, pattern] = count
    return Baseline(counts)
