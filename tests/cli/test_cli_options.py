"""Groups of options are values that click fills; what a run is asked for is made of them in one place."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from wavesim.cli.main import cli
from wavesim.cli.options import group, option, options
from wavesim.front.launch.file import LaunchOptions
from wavesim.front.region import RegionOptions
from wavesim.pipeline.run import RunOptions


@dataclass(frozen=True)
class Left:
    size: int = option("--left", type=int, default=1)
    names: tuple[str, ...] = option("--name", multiple=True)


@dataclass(frozen=True)
class Right:
    size: int = option("--right", type=int, default=2)
    inner: Left = group(Left)


@dataclass(frozen=True)
class Other:
    size: int = option("--other", type=int, default=3)


def test_groups_with_the_same_field_are_filled_each_with_its_own() -> None:
    found: list[Any] = []

    @click.command()
    @click.argument("size")
    @options(right=Right, other=Other)
    def command(size: str, right: Right, other: Other) -> None:
        found.extend((size, right, other))

    done = CliRunner().invoke(command, ["here", "--left", "5", "--name", "a", "--name", "b"])
    assert done.exit_code == 0, done.output
    assert found == ["here", Right(2, Left(5, ("a", "b"))), Other(3)]
    shown = CliRunner().invoke(command, ["--help"]).output
    assert shown.index("--right") < shown.index("--left") < shown.index("--name") < shown.index("--other")


GIVEN = {
    "arch": (["--arch", "gfx950"], "gfx950"),
    "machine": (["--machine", "m.yaml"], "m.yaml"),
    "settings": (["--set", "K=512", "--set", "K=1024"], {"K": "1024"}),
    "engine": (["--engine", "simpy"], "simpy"),
    "clock": (["--clock", "1.5"], 1.5),
    "memory": (["--memory", "cold"], "cold"),
    "adversarial": (["--adversarial"], True),
    "numbers": (["--no-numbers"], False),
    "allow_unknown": (["--allow-unknown"], True),
    "region": (["--region", "a:b", "--waves", "4"], RegionOptions("a:b", 7, 4)),
    "trips": (["--trips", "7"], 7),
    "workgroups": (["--workgroups", "2"], 2),
    "rounds": (["--rounds", "3"], 3),
    "launch": (
        [
            *("--launch", "l.yaml", "--arg", "A=1", "--block", "32,2", "--grid", "1,2", "--expect", "C = A"),
            *("--tile", "1,64", "--kernel", "name", "--lds", "32", "-D", "N=4"),
        ],
        LaunchOptions("l.yaml", ("A=1",), 64, "1,2", "C = A", "1,64", "name", {}, 32, ("-DN=4",), (32, 2)),
    ),
}
"""Of each field of RunOptions that the command line says: the words, and what comes of them."""


def test_every_option_of_run_arrives(monkeypatch: pytest.MonkeyPatch) -> None:
    class Arrived(Exception):
        pass

    def run_kernel(kernel: Path, wanted: RunOptions, progress: object) -> None:
        raise Arrived(wanted)

    monkeypatch.setattr("wavesim.pipeline.run.run_kernel", run_kernel)
    words = [word for given, _ in GIVEN.values() for word in given]
    with pytest.raises(Arrived) as caught:
        CliRunner().invoke(cli, ["run", "k.hip", *words], catch_exceptions=False)
    (wanted,) = caught.value.args
    assert wanted == RunOptions(**{name: value for name, (_, value) in GIVEN.items()})
    internal = {"what_if", "change", "source", "trips_at", "seed"}
    assert {each.name for each in fields(RunOptions)} - internal == set(GIVEN)
