"""The words of wavesim's screens, once: the entries of docs/glossary, for the terminal and the page."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from wavesim.isa.paths import data_dir


@dataclass(frozen=True, slots=True)
class Entry:
    """``word`` and the other names it goes by; ``text`` is plain, one or more paragraphs."""

    word: str
    also: tuple[str, ...]
    text: str


@cache
def entries() -> tuple[Entry, ...]:
    """All entries, in the order of the page."""
    page = (data_dir("glossary") / "README.md").read_text(encoding="utf-8")
    return tuple(_entry(part) for part in re.split(r"^## ", page, flags=re.MULTILINE)[1:])


def _entry(part: str) -> Entry:
    word, _, body = part.partition("\n")
    paragraphs = [" ".join(each.split()) for each in body.strip().split("\n\n")]
    also: tuple[str, ...] = ()
    if paragraphs[0].startswith("Also: "):
        also = tuple(name.strip() for name in paragraphs.pop(0)[len("Also: ") :].rstrip(".").split(","))
    text = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", "\n\n".join(paragraphs))
    return Entry(word.strip(), also, re.sub(r"[`*]", "", text))


def explained(word: str) -> Entry | None:
    """The entry of a word, however it is written: in capitals, with ``_``, ``-`` or spaces, in the plural."""
    by_name: dict[str, Entry] = {}
    for each in entries():
        for name in (each.word, *each.also):
            by_name.setdefault(_plain(name), each)
    plain = _plain(word)
    # mfma is a bound, MFMA an instruction: the spelling that was asked for goes first
    exact = next((each for each in entries() if word in (each.word, *each.also)), None)
    return exact or by_name.get(plain) or by_name.get(plain.removesuffix("s"))


def names() -> tuple[str, ...]:
    """Every word that has an entry."""
    return tuple(name for each in entries() for name in (each.word, *each.also))


def _plain(word: str) -> str:
    return re.sub(r"[\s_-]+", " ", word.strip().lower())
