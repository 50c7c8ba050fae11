"""The lessons of docs/lessons as values: pages, the questions in them, and how far a reader is."""

from wavesim.lessons.page import Command, Lesson, Section, lessons, read_lesson
from wavesim.lessons.progress import Answer, Progress
from wavesim.lessons.question import Judgement, Question

__all__ = [
    "Answer",
    "Command",
    "Judgement",
    "Lesson",
    "Progress",
    "Question",
    "Section",
    "lessons",
    "read_lesson",
]
