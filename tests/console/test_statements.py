"""The file of settings by its lines: what stands where, and one line changed while all else stays."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.statements import NotToml, changed, statements

FILE = """\
# what I like
bell = "off"   # it is late

  "time" = '''12h''' # quoted
note = \"\"\"
[not a table]
bell = "on"
\"\"\" # the end # of it

# mine
[aliases]
hi = "/msg bob # hello"

[[more.lists]]
deep.est = 1
[more.table]
x = [
  1, # one
]
"""


def test_what_stands_where() -> None:
    said = {key: (part.line, len(part.lines)) for part in statements(FILE) for key in part.values}
    assert said == {
        ("bell",): (2, 1),
        ("time",): (4, 1),
        ("note",): (5, 4),
        ("aliases", "hi"): (12, 1),
        ("more", "lists", "deep", "est"): (15, 1),
        ("more", "table", "x"): (17, 3),
    }


@pytest.mark.parametrize(
    ("name", "value", "before", "after"),
    [
        ("bell", "on", 'bell = "off"   # it is late\n', 'bell = "on"   # it is late\n'),
        ("bell", None, 'bell = "off"   # it is late\n', ""),
        ("time", "24h", "  \"time\" = '''12h''' # quoted\n", 'time = "24h" # quoted\n'),
        ("note", "x", FILE[FILE.index("note") : FILE.index("# mine")], 'note = "x" # the end # of it\n\n'),
        ("colours", "16", "of it\n", 'of it\ncolours = "16"\n'),
        ("colours", None, "", ""),
        ("hi", "no alias", "of it\n", 'of it\nhi = "no alias"\n'),
    ],
)
def test_one_line_is_changed(name: str, value: str | None, before: str, after: str) -> None:
    assert changed(FILE, name, value) == FILE.replace(before, after)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("", 'bell = "on"\n'),
        ("# only this", '# only this\nbell = "on"\n'),
        ("a = 1", 'a = 1\nbell = "on"\n'),
        ("# top\n\n# mine\n[aliases]\n", '# top\n\nbell = "on"\n\n# mine\n[aliases]\n'),
        ("[aliases]\n", 'bell = "on"\n\n[aliases]\n'),
        ("a = 1\r\n[aliases]\r\n", 'a = 1\r\nbell = "on"\r\n[aliases]\r\n'),
        ("bell = 1\r\n[aliases]\r\n", 'bell = "on"\r\n[aliases]\r\n'),
        ("bell = 1 # ring\r\n", 'bell = "on" # ring\r\n'),
        ("bell.a = 1 # ring\nb = 1\nbell.b = 2\n", 'bell = "on" # ring\nb = 1\n'),
    ],
)
def test_where_a_new_line_goes(text: str, wanted: str) -> None:
    assert changed(text, "bell", "on") == wanted


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a = 1\nb = \nc = 3\n", 2),
        ("a = 1\na = 2\n", 2),
        ("a = 1\n\nwhat is this\n", 3),
        ("[aliases]\nhi = 'x\n", 2),
        ("a = [[" + "[" * 100_000, 1),
        ("a = 1\n[bell]\nb = 1\n", 2),
    ],
)
def test_a_text_that_is_none_is_named_with_its_line(text: str, line: int) -> None:
    with pytest.raises(NotToml) as said:
        changed(text, "bell", "on")
    assert said.value.line == line


KEYS = st.sampled_from(["bell", "time", "a-b", '"q # d"', "broker"])
VALUES = st.one_of(
    st.sampled_from(['"x"', "'#'", "true", "16", "[1, # one\n 2]", '"""a\nb = 1 # c\n"""', "{ a = 1 }"]),
    st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"], exclude_characters="'\u2028")).map(
        "'{}'".format
    ),
)
COMMENTS = st.sampled_from(["", " # why", "#", "\t# 'x' # y"])
LINES = st.one_of(st.sampled_from(["", "# a comment", "  "]), st.tuples(KEYS, VALUES, COMMENTS))


@given(
    st.lists(LINES, unique_by=lambda line: line[0] if isinstance(line, tuple) else object()),
    st.lists(LINES, unique_by=lambda line: line[0] if isinstance(line, tuple) else object()),
    st.sampled_from(["bell", "time", "new"]),
    st.one_of(st.none(), st.text(st.characters(codec="utf-8"))),
)
def test_only_what_is_changed_changes(above: list[object], below: list[object], name: str, value: str | None) -> None:
    written = [f"{line[0]} = {line[1]}{line[2]}" if isinstance(line, tuple) else str(line) for line in above]
    written += ["[aliases]"]
    written += [f"{line[0]} = {line[1]}{line[2]}" if isinstance(line, tuple) else str(line) for line in below]
    text = "\n".join(written) + "\n"
    before, after = tomllib.loads(text), tomllib.loads(changed(text, name, value))
    before.pop(name, None)
    assert after == (before if value is None else before | {name: value})
    kept = [line for line in text.split("\n") if line.startswith("#")]
    assert [line for line in changed(text, name, value).split("\n") if line.startswith("#")] == kept
