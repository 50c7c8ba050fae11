"""How far a reader is: answers and finished lessons, in a small file of the user's own."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import platformdirs

from wavesim.errors import SourceSpan, UserError
from wavesim.lessons.page import Lesson

_FILE = "lessons.json"
_SCHEMA = 1


@dataclass(frozen=True)
class Answer:
    """What was ``said``; where it could be judged, whether it was ``right`` and what the ``truth`` is."""

    said: str
    right: bool | None = None
    truth: str = ""


@dataclass
class Progress:
    """``done`` are names of lessons, ``answers`` those of a lesson by section; ``path`` is where they are."""

    path: Path
    done: set[str] = field(default_factory=set)
    answers: dict[str, dict[str, Answer]] = field(default_factory=dict)

    @classmethod
    def of_user(cls) -> Progress:
        """The user's own, from the state folder of the system (``$XDG_STATE_HOME`` or what is usual there).

        Raises:
            UserError: the file is none of these.
        """
        return cls.read(platformdirs.user_state_path("wavesim", appauthor=False) / _FILE)

    @classmethod
    def read(cls, path: Path) -> Progress:
        """What a file has; nothing if there is none.

        Raises:
            UserError: it is no such file.
        """
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
            if data["schema"] != _SCHEMA:
                raise ValueError(f"schema {data['schema']}")
            answers = {
                str(name): {str(section): _answer(each) for section, each in found.items()}
                for name, found in data["answers"].items()
            }
            return cls(path, {str(name) for name in data["done"]}, answers)
        except (FileNotFoundError, NotADirectoryError):
            return cls(path)
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise UserError(
                f"cannot read the answers to lessons: {error}", SourceSpan(str(path)), "remove the file"
            ) from None

    def say(self, lesson: str, section: str, answer: Answer) -> None:
        """Keep an answer; it replaces an older one.

        Raises:
            UserError: the file cannot be written.
        """
        self.answers.setdefault(lesson, {})[section] = answer
        self._write()

    def finish(self, lesson: str) -> None:
        """Keep that a lesson is done.

        Raises:
            UserError: the file cannot be written.
        """
        self.done.add(lesson)
        self._write()

    def answer(self, lesson: str, section: str) -> Answer | None:
        """What was said before."""
        return self.answers.get(lesson, {}).get(section)

    def next_of(self, found: Iterable[Lesson]) -> Lesson | None:
        """The first that is not done."""
        return next((each for each in found if each.name not in self.done), None)

    def _write(self) -> None:
        from wavesim.report.files import write_atomically

        answers = {
            name: {section: asdict(each) for section, each in found.items()}
            for name, found in self.answers.items()
        }
        data = {"schema": _SCHEMA, "done": sorted(self.done), "answers": answers}
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UserError(f"cannot be made: {error.strerror}", SourceSpan(str(self.path.parent))) from None
        write_atomically(self.path, [json.dumps(data, indent=1, ensure_ascii=False) + "\n"])


def _answer(found: dict[str, Any]) -> Answer:
    right = found["right"]
    return Answer(str(found["said"]), right if right is None else bool(right), str(found["truth"]))
