"""The pages of the manual: form of the contract, references that exist, width and words of the prose."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from test_architecture import LAYERS, PACKAGE

from wavesim.timing.rule import Rule
from wavesim.timing.rules import RULES

ROOT = Path(__file__).resolve().parent.parent
MODEL = ROOT / "docs" / "model"
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
POINTS = ["Delays", "By", "Not", "Off", "Evidence"]
WIDTH = 100


def read_by_people() -> list[Path]:
    """Pages, sources, machine data and kernels: whatever names another file to a reader."""
    found = [*PAGES, *(ROOT / "docs").glob("*.txt")]
    for folder, kinds in (
        ("wavesim", ("py", "c", "js")),
        ("isa", ("yaml", "csv")),
        ("kernels", ("yaml", "s")),
    ):
        found += [path for kind in kinds for path in (ROOT / folder).rglob(f"*.{kind}")]
    return sorted(found)


def rules_of_the_contract() -> dict[str, tuple[Path, str]]:
    """Name of a rule -> its page and the text under its heading."""
    found = {}
    for page in sorted(MODEL.glob("*.md")):
        for name, text in re.findall(
            r"^## (\w+): .*\n((?:(?!^## ).*\n?)*)", page.read_text("utf-8"), re.MULTILINE
        ):
            found[name] = page, text
    return found


def test_every_rule_has_its_heading_and_no_heading_is_left_over() -> None:
    assert {rule.name for rule in RULES} == set(rules_of_the_contract())


@pytest.mark.parametrize("name", sorted(rules_of_the_contract()))
def test_a_rule_states_its_five_points_in_order(name: str) -> None:
    _, text = rules_of_the_contract()[name]
    points = [each for each in re.findall(r"^- \*\*(\w+)\*\*", text, re.MULTILINE) if each in POINTS]
    assert list(dict.fromkeys(points)) == POINTS


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_a_rule_and_its_page_say_the_same(rule: Rule) -> None:
    """The section, what off means and by what, and where the evidence is."""
    page, text = rules_of_the_contract()[rule.name]
    assert page.name.startswith(f"{rule.section:02}-")
    by = {"parameters": rule.parameters, "Trace": rule.trace, "engines": rule.in_engine}
    how = " and ".join(each for each, used in by.items() if used)
    assert f"**Off**: {rule.off} ({how})." in " ".join(text.split())
    assert f"](../{rule.evidence})" in text


def test_sections_of_the_contract_that_code_and_tests_name_exist() -> None:
    there = {int(page.name[:2]) for page in MODEL.glob("[0-9]*.md")}
    wrong = [
        f"{path.relative_to(ROOT)}: §{number}"
        for path in [*read_by_people(), *(ROOT / "tests").rglob("*.py")]
        for number in re.findall(r"docs/model §(\d+)", path.read_text("utf-8"))
        if int(number) not in there
    ]
    assert wrong == []


def test_nothing_points_to_a_file_that_a_reader_does_not_have() -> None:
    outside = re.compile(r"\bshared/\w|\.\./shared|/work/|\bMECHANISMS|TRACE_MEASUREMENTS|FACTS(?:_2)?\.md")
    wrong = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:80]}"
        for path in read_by_people()
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if outside.search(line)
    ]
    assert wrong == []


def test_files_that_pages_name_exist() -> None:
    named = re.compile(
        r"\b(?:wavesim|tests|docs|isa|kernels|benchmarks)/[a-z\d_./-]*[a-z\d_]\.[a-z]{1,4}\b(?!\w)"
    )
    fenced = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
    wrong = [
        f"{page.relative_to(ROOT)}: {name}"
        for page in PAGES
        for name in named.findall(fenced.sub("", page.read_text("utf-8")))
        if not (ROOT / name).is_file()
    ]
    assert wrong == []


def test_the_drawn_architecture_has_every_package_in_the_order_of_imports() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    rows = re.findall(
        r"^\| ((?:`\w+/?`(?:, )?)+) \|", text.partition("## Packages")[2].partition("\n## ")[0], re.MULTILINE
    )
    drawn = [name for row in rows for name in re.findall(r"\w+", row)]
    folders = {path.name for path in PACKAGE.iterdir() if (path / "__init__.py").is_file()}
    assert folders <= set(drawn)
    assert drawn == sorted(drawn, key=LAYERS.index)


def prose(text: str) -> list[tuple[int, str]]:
    """(number, line) of what is neither code, nor a table, nor a link that cannot be broken."""
    found, fenced = [], False
    for number, line in enumerate(text.splitlines(), 1):
        if line.lstrip().startswith("```"):
            fenced = not fenced
        elif not fenced and not line.startswith(("|", "    ", "#")):
            found.append((number, line))
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_prose_is_no_wider_than_a_screen(page: Path) -> None:
    wide = [
        f"{number}: {line}"
        for number, line in prose(page.read_text("utf-8"))
        if len(line) > WIDTH and " " in re.sub(r"\[[^]]*\]\([^)]*\)|`[^`]*`", "", line).strip()
    ]
    assert wide == []


def test_the_life_of_a_ds_read_points_at_code_that_is_there() -> None:
    """Names of classes, functions and files of the model, as the page has them."""
    page = (MODEL / "life-of-a-ds-read.md").read_text("utf-8")
    timing = ROOT / "wavesim" / "timing"
    sources = {path.name: path.read_text("utf-8") for path in timing.rglob("*.py")}
    code = "\n".join(sources.values())
    named = set(re.findall(r"`([A-Za-z_]\w*(?:\.\w+)*)`", page))
    classes = {each for each in named if re.fullmatch(r"[A-Z][a-z]\w*(\.\w+)?", each)} - {"None"}
    assert {"Wave.reach", "FetchBuffer.usable_clk"} <= classes
    missing = {each for each in named if each.endswith(".py") and Path(each).name not in sources}
    for each in classes:
        owner, _, member = each.partition(".")
        if not re.search(rf"class {owner}\b", code) or (member and not re.search(rf"\b{member}\b", code)):
            missing.add(each)
    missing |= {each for each in named if re.fullmatch(r"[a-z]\w*_clk", each) and each not in code}
    assert missing == set()
