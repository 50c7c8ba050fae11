"""A question of a lesson: what counts as its answer, and what is said to one who was off.

The key stands in the page, in a comment that nobody sees:

    <!-- answer
    figure: 2:/clk_per_iteration over 1:/clk_per_iteration
    unit: times
    within: 10 %
    less: The result must be written back before the next one may read it.
    -->

``figure`` is worked out from left to right: ``2:/clk_per_iteration`` is a place in the JSON report of
the page's second command (a JSON pointer), between values stand ``+``, ``-``, ``*`` and ``over``. So
the answer is what the model says today. ``is`` in its place is what no command says. ``choices`` are
what the reader chooses from: of numbers the one nearest to the figure is right. ``less``, ``more`` and
``why`` say what one overlooks who said less, more, or another word; ``why`` of a number is said in both
cases.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from wavesim.errors import SourceSpan, UserError
from wavesim.yaml_source import load_yaml

_KEYS = {"figure", "is", "unit", "within", "choices", "less", "more", "why"}
_NUMBER = re.compile(r"\s*([+-]?\d[\d_,]*(?:\.\d+)?)")
_PLACE = re.compile(r"(\d+):(/\S+)")
WITHIN = 0.1
"""How far off a number may be where the key does not say."""


@dataclass(frozen=True)
class Judgement:
    """``right``, and the sentence that says how far off the answer was and why. ``truth`` is the answer."""

    right: bool
    truth: str
    text: str


@dataclass(frozen=True)
class Question:
    """What is asked for: a number of ``unit``, right within the share ``within``, or one of ``choices``."""

    figure: str
    unit: str = ""
    within: float = WITHIN
    choices: tuple[str, ...] = ()
    less: str = ""
    more: str = ""
    why: str = ""

    @property
    def numeric(self) -> bool:
        """Whether the answer is a number."""
        return all(_NUMBER.fullmatch(choice) for choice in self.choices)

    @property
    def asked(self) -> str:
        """What to type."""
        if self.choices:
            first = ", ".join(self.choices[:-1])
            return f"{first} or {self.choices[-1]}"
        return f"a number, {self.unit}" if self.unit else "a number"

    @property
    def commands(self) -> frozenset[int]:
        """The numbers of the commands whose JSON the figure needs."""
        return frozenset(int(number) for number, _ in _PLACE.findall(self.figure))

    def said(self, typed: str) -> str | None:
        """The answer that was meant: a number or a choice as it is written; ``None``: neither."""
        typed = typed.strip()
        if self.numeric:
            number = _number(typed)
            return None if number is None else _shown(number)
        if typed in self.choices:
            return typed
        fits = [choice for choice in self.choices if typed and choice.lower().startswith(typed.lower())]
        return fits[0] if len(fits) == 1 else None

    def judge(self, said: str, reports: Mapping[int, Any]) -> Judgement:
        """How right what was :meth:`said` is. ``reports`` has the JSON reports of :attr:`commands`.

        Raises:
            UserError: a report has no number at a place of the figure.
        """
        if not self.numeric:
            right = said == self.figure
            text = (
                f"You said {said}: right." if right else f"You said {said}; it is {self.figure}. {self.why}"
            )
            return Judgement(right, self.figure, text.strip())
        truth = value(self.figure, reports)
        meant = float(said)
        if self.choices:
            near = min((abs(float(choice) - truth), float(choice)) for choice in self.choices)
            right = abs(meant - truth) == near[0]
        else:
            right = abs(meant - truth) <= self.within * abs(truth)
        unit = f" {self.unit}" if self.unit else ""
        shown = f"{_shown(truth)}{unit}"
        if _shown(meant) == _shown(truth):
            return Judgement(True, shown, f"You said {said}{unit}: right.")
        if right:
            return Judgement(True, shown, f"You said {said}{unit}, it is {shown}: near enough.")
        words = [f"You said {said}{unit}, it is {shown}: {_distance(meant, truth, self.unit)}."]
        words += [self.less if meant < truth else self.more, self.why]
        return Judgement(False, shown, " ".join(each for each in words if each))


def read_question(text: str, place: SourceSpan) -> Question:
    """The question of a key.

    Raises:
        UserError: it is not one.
    """
    found, _ = load_yaml(str(place), text)
    if not isinstance(found, dict) or found.keys() - _KEYS or ("figure" in found) == ("is" in found):
        raise UserError("the key of an answer is wrong", place, f"one of figure and is; {', '.join(_KEYS)}")
    choices = tuple(str(choice) for choice in found.get("choices", ()))
    figure = str(found.get("figure", found.get("is")))
    question = Question(
        figure,
        unit=str(found.get("unit", "")),
        within=float(str(found.get("within", WITHIN * 100)).removesuffix("%")) / 100,
        choices=choices,
        **{name: " ".join(str(found.get(name, "")).split()) for name in ("less", "more", "why")},
    )
    if not question.numeric and figure not in choices:
        raise UserError(f"the answer {figure!r} is none of the choices", place, question.asked)
    return question


def value(figure: str, reports: Mapping[int, Any]) -> float:
    """A figure, from left to right.

    Raises:
        UserError: something in it is no number.
    """
    operand, *rest = figure.split()
    total = _operand(operand, reports)
    for operator, operand in zip(rest[::2], rest[1::2], strict=True):
        number = _operand(operand, reports)
        match operator:
            case "+":
                total += number
            case "-":
                total -= number
            case "*":
                total *= number
            case "over":
                total /= number
            case _:
                raise UserError(f"{operator!r} in the figure {figure!r}", None, "one of + - * over")
    return total


def _operand(text: str, reports: Mapping[int, Any]) -> float:
    place = _PLACE.fullmatch(text)
    if place is None:
        return float(text)
    found = reports.get(int(place[1]))
    for name in place[2][1:].split("/"):
        if isinstance(found, list) and name.isdigit() and int(name) < len(found):
            found = found[int(name)]
        else:
            found = found.get(name) if isinstance(found, dict) else None
    if isinstance(found, bool) or not isinstance(found, int | float):
        raise UserError(f"the report of command {place[1]} has no number at {place[2]}")
    return float(found)


def _number(text: str) -> float | None:
    found = _NUMBER.match(text)
    return float(re.sub("[_,]", "", found[1])) if found else None


def _shown(number: float) -> str:
    """Three digits at least, and no zeros behind the point."""
    return f"{number:.0f}" if abs(number) >= 100 else f"{number:.3g}"


def _distance(said: float, truth: float, unit: str) -> str:
    apart, low = abs(said - truth), said < truth
    if unit == "%":
        return f"{_shown(apart)} points too {'low' if low else 'high'}"
    amount = f"{_shown(apart)} {unit}".strip()
    how = ("little", "much") if unit == "times" else ("few", "many")
    share = f", {apart / abs(truth):.0%} off".replace("%", " %") if truth else ""
    return f"{amount} too {how[0] if low else how[1]}{share}"
