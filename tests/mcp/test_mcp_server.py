"""`wavesim mcp` with the client of the mcp package: what it answers, what it refuses, what ends a call."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

import wavesim

anyio = pytest.importorskip("anyio", reason="needs the package mcp (extra mcp)")
mcp = pytest.importorskip("mcp", reason="needs the package mcp (extra mcp)")

ROOT = Path(__file__).resolve().parents[2]
SMALL = {"file": "kernels/8wave.yaml", "settings": {"K": 256}}
LESSON = "kernels/lessons/strong_wait.s"


class Server:
    """Calls tools of a server that is started for each list of calls."""

    def __init__(self, root: Path, *options: str) -> None:
        arguments = ["-m", "wavesim", "mcp", "--root", str(root), *options]
        self.parameters = mcp.StdioServerParameters(
            command=sys.executable, args=arguments, env={"PYTHONPATH": str(ROOT)}
        )

    def ask(self, *calls: tuple[str, dict[str, Any]]) -> list[dict[str, Any] | str]:
        """The structured answers, or the text of an error."""

        async def talk() -> list[dict[str, Any] | str]:
            async with mcp.Client(self.parameters) as client:
                found: list[dict[str, Any] | str] = []
                for tool, arguments in calls:
                    result = await client.call_tool(tool, arguments)
                    text = getattr(result.content[0], "text", "") if result.content else ""
                    structured = result.structured_content
                    found.append(text if result.is_error or structured is None else structured)
                return found

        return anyio.run(talk)

    def one(self, tool: str, **arguments: Any) -> Any:
        return self.ask((tool, arguments))[0]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "kernels of a client"
    place.mkdir()
    shutil.copy(ROOT / LESSON, place / "mine.s")
    return place


def test_six_tools_state_what_they_answer(folder: Path) -> None:
    async def listed() -> Any:
        async with mcp.Client(Server(folder).parameters) as client:
            return (await client.list_tools()).tools

    tools = {tool.name: tool for tool in anyio.run(listed)}
    assert set(tools) == {"run", "check", "explain", "predict", "tune", "compare"}
    for tool in tools.values():
        assert tool.description
        assert {"verdict", "seconds"} <= set(tool.output_schema["properties"])


def test_answers_are_those_of_the_commands(folder: Path) -> None:
    kernel = {"file": "mine.s"}
    text = {"text": (ROOT / LESSON).read_text()}
    ran, told, explained, checked, compared, predicted = Server(folder).ask(
        ("run", {"kernel": kernel}),
        ("run", {"kernel": text}),
        ("explain", {"kernel": kernel}),
        ("check", {"kernel": {"file": "kernels/wrong/mfma-hazard.s"}}),
        ("compare", {"kernels": [SMALL, {**SMALL, "file": "kernels/8wave_pingpong.yaml"}]}),
        ("predict", {"kernel": {**SMALL, "arch": "MI325X"}}),
    )
    alone = wavesim.run(ROOT / LESSON)
    for answer in (ran, told, explained):
        assert answer["clk_per_iteration"] == pytest.approx(alone.clk_per_iteration, rel=1e-5)
        assert answer["diagnosis"] == alone.run.diagnosis
        low, high = answer["interval"]["low"], answer["interval"]["high"]
        assert low < answer["clk"] < high
        assert answer["trust"]["validated_share"] == 1
    assert explained["try_next"][0] == f"advice: {explained['advice'][0]['name']}"
    assert "wait step by step" in explained["advice"][0]["text"]
    assert explained["advice"][0]["diff"].startswith("--- mine.s\n")
    assert explained["what_if"][0]["name"] == "matrix_pipe_free"
    assert checked["verdict"] == "bad"
    assert checked["findings"][0]["rule"] == "mfma-hazard"
    assert checked["try_next"] == [checked["findings"][0]["fix"]]
    assert [each["kernel"] for each in compared["runs"]] == ["half_split", "half_split_pingpong"]
    assert compared["slower_than_first"][0] == 0
    assert compared["fastest"] == 1
    assert any("measured traces" in each for each in compared["says"])
    assert predicted["machine"] == "MI325X"
    assert sum(predicted["memory"].values()) == pytest.approx(1)
    assert predicted["interval"]["share"] == 0.10


def test_tune_gives_a_kernel_that_runs(folder: Path) -> None:
    (answer,) = Server(folder, "--seconds", "600").ask(("tune", {"kernel": SMALL, "candidates": 2}))
    assert isinstance(answer, dict), answer
    assert answer["better"]
    assert answer["diff"] == ""  # it was not asked for
    assert answer["assembly"].startswith("; wavesim tune")
    middle = answer["clk_per_iteration"][1]
    assert middle["bound"] < middle["after"] < middle["before"]


def test_tile_programs_can_be_read(folder: Path) -> None:
    async def read() -> tuple[list[str], str]:
        async with mcp.Client(Server(folder).parameters) as client:
            names = [str(each.uri) for each in (await client.list_resources()).resources]
            return names, (await client.read_resource("wavesim://kernels/8wave.yaml")).contents[0].text

    names, text = anyio.run(read)
    assert "wavesim://kernels/4wave.yaml" in names
    assert text == (ROOT / "kernels" / "8wave.yaml").read_text()


def test_a_story_in_the_terms_of_a_client(folder: Path) -> None:
    """A tile program with a race, mended, explained: places are lines of the text, options are fields, no
    folder of the server shows, and the first piece of advice is a diff that can be applied."""
    good = (ROOT / "kernels" / "8wave.yaml").read_text()
    small = {"kind": "yaml", "settings": {"K": 256}}
    bare = "\n".join(line for line in good.splitlines() if not line.strip().startswith("- barrier"))
    racy, clean, ran, explained, unknown = Server(folder).ask(
        ("check", {"kernel": {"text": bare, **small}}),
        ("check", {"kernel": {"text": good, **small}}),
        ("run", {"kernel": {"text": good, **small}}),
        ("explain", {"kernel": {"text": good, **small}}),
        ("run", {"kernel": {"text": good, "kind": "yaml", "settings": {"Q": 1}}}),
    )
    assert isinstance(racy, dict), racy
    first = racy["findings"][0]
    assert first["rule"] == "lds-race"
    lines = [bare.splitlines()[int(place.split(":")[1]) - 1] for place in first["places"]]
    assert "lds_write" in lines[0]
    assert "lds_read" in lines[1]
    assert clean["verdict"] == "good"  # type: ignore[index]
    text = json.dumps([racy, clean, ran, explained, unknown])
    assert "--set" not in text
    assert "--apply" not in text
    assert "/tmp" not in text
    assert str(unknown).startswith("Error executing tool run: unusable: kernel.yaml:1:1: settings Q:")
    advice = explained["advice"][0]  # type: ignore[index]
    (taken,) = [line[1:] for line in advice["diff"].splitlines()[2:] if line.startswith("-")]
    assert taken in good.splitlines()


def test_nothing_outside_the_folder_is_read(folder: Path) -> None:
    shutil.copy(ROOT / LESSON, folder.parent / "secret.s")
    (folder / "link.s").symlink_to(folder.parent / "secret.s")
    (folder / "linked").symlink_to(folder.parent)
    outside = ("../secret.s", "/etc/passwd", "a/../../secret.s", "..\\secret.s", "")
    said = Server(folder).ask(
        *(("run", {"kernel": {"file": name}}) for name in (*outside, "link.s", "linked/secret.s"))
    )
    assert all("is no path below the folder of this server" in str(each) for each in said[: len(outside)])
    assert all("a symbolic link, which is not followed" in str(each) for each in said[len(outside) :])


HIP = "#include <hip/hip_runtime.h>\n__global__ void f(float* p) {{ {} }}\n"


def test_what_a_source_names_outside_is_not_read(folder: Path) -> None:
    """The compiler itself is confined: includes and embedded files, whatever the path."""
    (folder.parent / "secret.h").write_text("int secret = 12345;\n")
    (folder / "mine.h").write_text("#define MINE 7\n")
    source = HIP.format("p[threadIdx.x] = MINE;")
    launch = {"kind": "hip", "arguments": ["p=f32[64,1]:zero"], "block": 64}
    absolute, relative, own = Server(folder).ask(
        ("run", {"kernel": {"text": f'#include "{folder.parent}/secret.h"\n{source}', **launch}}),
        ("run", {"kernel": {"text": f'#include "{folder}/../secret.h"\n{source}', **launch}}),
        ("run", {"kernel": {"text": f'#include "{folder}/mine.h"\n{source}', **launch}}),
    )
    assert isinstance(absolute, str)
    assert isinstance(relative, str)
    assert "12345" not in absolute + relative
    assert isinstance(own, dict), own


def test_flags_only_from_the_list(folder: Path) -> None:
    source = {"text": HIP.format("p[0] = N;"), "kind": "hip", "arguments": ["p=f32[1,1]:zero"], "block": 64}
    flags = ("-fplugin=x.so", "-I/etc", "-include/etc/passwd", "-o/tmp/x", "-O2 -I/", "@/etc/passwd")
    calls = [("run", {"kernel": {**source, "flags": [flag]}}) for flag in flags]
    macro = ("run", {"kernel": {**source, "defines": {"N -I/etc": "1"}}})
    good = ("run", {"kernel": {**source, "flags": ["-O2"], "defines": {"N": "3"}}})
    *refused, wrong, right = Server(folder).ask(*calls, macro, good)
    assert all("is not handed on" in str(each) for each in refused)
    assert "is no macro" in str(wrong)
    assert isinstance(right, dict), right


ENDLESS = """
.amdgcn_target "amdgcn-amd-amdhsa--gfx942"
endless:
.Lagain:
  s_add_u32 s0, s0, 1
  s_branch .Lagain
  s_endpgm
"""


def test_a_call_that_costs_too_much_ends_and_the_next_one_is_answered(folder: Path) -> None:
    """By counted work, and by time: the worker is killed then, and another answers."""
    server = Server(folder, "--max-instructions", "100000")
    endless, large, slow, fine = server.ask(
        ("run", {"kernel": {"text": ENDLESS, "block": 64}}),
        ("run", {"kernel": {"text": "x" * 1_000_001}}),
        ("tune", {"kernel": SMALL, "candidates": 100_000, "seconds": 0.5}),
        ("run", {"kernel": {"file": "mine.s"}}),
    )
    assert "limit: " in str(endless)
    assert "100000" in str(endless)
    assert "1000000" in str(large)
    assert "seconds: tune: not done within 0.5 s" in str(slow)
    assert isinstance(fine, dict), fine


BAD: list[tuple[dict[str, Any], str]] = [
    ({}, "unusable: a kernel is either a file or a text"),
    ({"file": "mine.s", "text": "x"}, "either a file or a text"),
    ({"file": "other.s"}, "no such file"),
    ({"text": "v_foo_f32 v0, v1", "arch": "gfx942"}, "unknown-instruction: kernel.s:1:1: unknown"),
    ({"file": "mine.s", "arch": "gfx1100"}, "unknown architecture"),
    ({"file": "mine.s", "machine": "/etc/passwd"}, "Extra inputs are not permitted"),
    ({"text": "no such thing", "block": 64}, "kernel.s:1"),
]


def test_bad_input_is_said(folder: Path) -> None:
    answers = Server(folder).ask(*(("run", {"kernel": kernel}) for kernel, _ in BAD))
    for (_, said), answer in zip(BAD, answers, strict=True):
        assert said in str(answer)


def test_without_the_package_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from wavesim.cli import mcp as command
    from wavesim.cli.main import main

    monkeypatch.setattr(command, "find_spec", lambda name: None)
    monkeypatch.setattr(sys, "argv", ["wavesim", "mcp"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert "pip install 'wavesim-cdna[mcp]'" in capsys.readouterr().err
