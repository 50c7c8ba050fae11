"""YAML with places: every key and value knows its line; only plain data gets in."""

from __future__ import annotations

import contextlib
import json
import math
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

import wavesim.source_text as source_text
import wavesim.yaml_source as yaml_source
from wavesim.errors import LimitExceeded, SourceSpan, UserError
from wavesim.yaml_source import load_yaml

TEXT = """\
# a comment
lds:
  queue: {value: 10, unit: entries}
  phases:
    - [0, 1]
    - [2, 3]
on: 1:30
2: 1e3
hex: 0x10
quoted: "0x10"
empty:
"""


def test_values_and_places() -> None:
    data, marks = load_yaml("m.yaml", TEXT)
    assert data == {
        "lds": {"queue": {"value": 10, "unit": "entries"}, "phases": [[0, 1], [2, 3]]},
        "on": "1:30",
        2: 1000.0,
        "hex": 16,
        "quoted": "0x10",
        "empty": None,
    }
    assert marks.span(("lds", "queue", "value")) == SourceSpan("m.yaml", 3, 18)
    assert marks.key_span(("lds", "queue", "value")) == SourceSpan("m.yaml", 3, 11)
    assert marks.span(("lds", "phases", 1, 0)) == SourceSpan("m.yaml", 6, 8)
    assert marks.key_span(("lds", "phases", 1)) == SourceSpan("m.yaml", 6, 7)
    assert marks.span(("lds", "nothing", "here")) == SourceSpan("m.yaml", 3, 3)
    assert str(marks.error((2,), "odd", "even")) == "m.yaml:8:4: odd\n  even"


def test_file_and_byte_order_mark(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_bytes(b"\xef\xbb\xbfa: 1\n")
    assert load_yaml(path)[0] == {"a": 1}
    path.write_text("")
    assert load_yaml(str(path))[0] is None


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("a: 1\na: 2\n", "x.yaml:2:1", "duplicate key 'a'"),
        ("a:\n  - b\n c: [", "x.yaml:3:2", "not valid YAML"),
        ("a: [1,\n", "x.yaml:2:1", "not valid YAML"),
        ("a: &x [1]\nb: *x\n", "x.yaml:2:4", "aliases are not supported"),
        ("a: !!python/object:os.system {}\n", "x.yaml:1:4", "tags are not supported"),
        ("a: {<<: {b: 1}}\n", "x.yaml:1:5", "merging is not supported"),
        ("[1, 2]: 3\n", "x.yaml:1:1", "cannot be a key"),
        ("true: 3\n", "x.yaml:1:1", "cannot be a key"),
        ("a: 1\n---\nb: 2\n", "x.yaml:2:1", "one document per file"),
        ("a: 1\nb: \x01\n", "x.yaml", "not valid YAML"),
        ("a:\tb: c\n", "x.yaml:1", "not valid YAML"),
    ],
)
def test_refused_with_its_place(text: str, place: str, words: str) -> None:
    with pytest.raises(UserError) as caught:
        load_yaml("x.yaml", text)
    assert str(caught.value).startswith(place)
    assert words in str(caught.value)


NESTED = {
    "flow": ("[" * 5000 + "]" * 5000, "x.yaml:1:65: nested deeper than 64 levels"),
    "block": (
        "\n".join(" " * level + "a:" for level in range(3000)),
        "x.yaml:65:65: nested deeper than 64 levels",
    ),
    "list": ("- " * 3000 + "1", "x.yaml:1:129: nested deeper than 64 levels"),
}


@pytest.mark.parametrize("kind", NESTED)
@pytest.mark.parametrize("counted_by", ["parser", "us"])
def test_depth_is_refused_alike_whoever_counts_it(
    kind: str, counted_by: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """libyaml of PyYAML 6.0.4 counts the depth itself, older ones and the Python parser do not."""
    text, message = NESTED[kind]
    if counted_by == "us":
        monkeypatch.setattr(yaml_source, "_LOADER", yaml.SafeLoader)
    with pytest.raises(LimitExceeded) as caught:
        load_yaml("x.yaml", text)
    assert str(caught.value) == message


def test_depth_that_only_the_parser_counts() -> None:
    """Should PyYAML's own parser count one day too, its place serves."""
    error = yaml_source._too_deep("a: 1", "x.yaml", yaml_source.SourceSpan("x.yaml", 7, 3))
    assert str(error) == "x.yaml:7:3: nested deeper than 64 levels"


def test_limits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (yaml_source, source_text):
        monkeypatch.setattr(module, "MAX_INPUT_BYTES", 10)
    path = tmp_path / "big.yaml"
    path.write_text("a: 1234567890")
    with pytest.raises(LimitExceeded, match="larger than"):
        load_yaml(path)
    with pytest.raises(LimitExceeded, match="larger than"):
        load_yaml("x.yaml", "a: 1234567890")


def test_unreadable_files(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such file"):
        load_yaml(tmp_path / "absent.yaml")
    with pytest.raises(UserError, match="cannot be read"):
        load_yaml(tmp_path)
    (tmp_path / "latin.yaml").write_bytes(b"a: 1\nb: \xe9\n")
    with pytest.raises(UserError, match=r"latin.yaml:2: not a UTF-8"):
        load_yaml(tmp_path / "latin.yaml")


def test_pure_python_parser_agrees(monkeypatch: pytest.MonkeyPatch) -> None:
    fast = load_yaml("m.yaml", TEXT)
    monkeypatch.setattr(yaml_source, "_LOADER", yaml.SafeLoader)
    assert load_yaml("m.yaml", TEXT) == fast


WORDS = st.text(st.characters(codec="latin-1", exclude_categories=["C"]), max_size=8)
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | WORDS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=12,
)


def flow_text(data: object) -> str:
    """JSON, but for the infinities, which YAML spells otherwise."""
    if isinstance(data, list):
        return "[" + ", ".join(map(flow_text, data)) + "]"
    if isinstance(data, dict):
        return "{" + ", ".join(f"{json.dumps(key)}: {flow_text(value)}" for key, value in data.items()) + "}"
    if isinstance(data, float) and math.isinf(data):
        return ".inf" if data > 0 else "-.inf"
    return json.dumps(data, ensure_ascii=False)


@given(PLAIN)
def test_json_is_yaml(data: object) -> None:
    assert load_yaml("x.yaml", flow_text(data))[0] == data


@given(st.text(max_size=60))
def test_any_text_is_data_or_a_user_error(text: str) -> None:
    with contextlib.suppress(UserError):
        load_yaml("x.yaml", text)
