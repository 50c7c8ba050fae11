"""What the shell completes: names that wavesim knows, each read where it stands.

Click asks a parameter for what begins with the word typed so far. The modules that know the names are loaded
only then.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path

import click
from click.shell_completion import CompletionItem

from wavesim.isa.paths import data_dir

Completer = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]

KERNEL_ENDINGS = (".yaml", ".s", ".hip")
"""Of the kernels that come with wavesim."""


def completer(names: Callable[[], Iterable[tuple[str, str]]]) -> Completer:
    """Completes one of ``names``, given as (name, what it is), upper or lower case."""

    def complete(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
        start = incomplete.lower()
        return [CompletionItem(name, help=said) for name, said in names() if name.lower().startswith(start)]

    return complete


def _machines() -> Iterable[tuple[str, str]]:
    from wavesim.isa.names import devices, stock_machines

    yield from ((name, "architecture") for name in stock_machines())
    yield from ((name, "device") for name in devices())


def _check_rules() -> Iterable[tuple[str, str]]:
    from wavesim.checks.rules import RULES

    return ((name, "") for name in RULES)


def _timing_rules() -> Iterable[tuple[str, str]]:
    from wavesim.timing.rules import RULES, summary

    return ((rule.name, summary(rule.name)) for rule in RULES)


def _what_ifs() -> Iterable[tuple[str, str]]:
    from wavesim.explanation.whatif import WHAT_IFS

    return ((each.name, each.text) for each in WHAT_IFS)


def _lessons() -> Iterable[tuple[str, str]]:
    from wavesim.lessons import lessons

    yield from ((str(each.number), each.title) for each in lessons())
    yield "next", "the first that is not done"
    yield from ((each.name, each.title) for each in lessons())


def _words() -> Iterable[tuple[str, str]]:
    from wavesim.glossary import entries

    return ((each.word, "") for each in entries())


machines = completer(_machines)
check_rules = completer(_check_rules)
timing_rules = completer(_timing_rules)
what_ifs = completer(_what_ifs)
lessons = completer(_lessons)
words = completer(_words)


def machine_values(
    context: click.Context, parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Keys of the machine's numbers; the machine is the argument before."""
    from wavesim.errors import UserError
    from wavesim.isa.load import load_machine

    try:
        machine = load_machine(context.params.get("machine") or "gfx942")
    except UserError:
        return []
    return [CompletionItem(key) for key in machine.quantities if key.startswith(incomplete)]


def machine_sections(
    context: click.Context, parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """First parts of those keys."""
    keys = machine_values(context, parameter, incomplete)
    return [CompletionItem(name) for name in sorted({str(each.value).partition(".")[0] for each in keys})]


def kernel_files(incomplete: str) -> list[CompletionItem]:
    """Files of this folder, or the kernels that come with wavesim, which are found in any folder."""
    typed = incomplete or "."
    if not incomplete or Path("kernels").exists() or not (typed + "/").startswith("kernels/"[: len(typed)]):
        return [CompletionItem(incomplete, type="file")]
    folder = data_dir("kernels")
    shipped = sorted(
        "/".join(("kernels", *path.relative_to(folder).parts))
        for path in folder.rglob("*")
        if path.suffix in KERNEL_ENDINGS and not path.name.endswith(".launch.yaml")
    )
    found = [name for name in shipped if name.startswith(incomplete)]
    here = [name for name in os.listdir(".") if found and name.startswith(incomplete)]
    return [CompletionItem(name) for name in (*here, *found)] or [CompletionItem(incomplete, type="file")]
