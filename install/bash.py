"""What bash completes; it needs no other package for that."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from install.lines import FILES, FOLDERS, HOSTS, Line, Place

_KINDS = {FOLDERS: ("-d",), FILES: ("-f",), HOSTS: ("-A", "hostname")}


def script(program: str, lines: list[Line]) -> str:
    """The completion of a program. ``flags`` is what compgen is asked for, at the line of the command typed."""
    function = "_" + program.replace("-", "_")
    return f"""\
# What bash completes for {program}; made from its own options by: make share
{function}() {{
    local IFS=$'\\n' at="" each flags word=${{COMP_WORDS[COMP_CWORD]}}
    for each in "${{COMP_WORDS[@]:1:COMP_CWORD-1}}"; do
        case "$at $each" in
{_rows((_quoted(line), 'at+=" $each"') for line in lines if line.path)}
        esac
    done
    case "$at ${{COMP_WORDS[COMP_CWORD-1]}}" in
{_rows(_values(lines))}
        *) case "$at $word" in
{_rows(_words(lines))}
        esac ;;
    esac
    [[ -n ${{flags[0]}} ]] || return
    COMPREPLY=($(compgen "${{flags[@]}}" -- "$word"))
}}
complete -F {function} {program}
"""


def _rows(branches: Iterable[tuple[str, str]]) -> str:
    return "\n".join(f"            {pattern}) {what} ;;" for pattern, what in branches) or "            *) ;;"


def _quoted(line: Line, *words: str) -> str:
    """As ``at`` has it: a blank before each word."""
    return f"'{''.join(' ' + each for each in (*line.path, *words))}'"


def _values(lines: list[Line]) -> Iterator[tuple[str, str]]:
    """Behind an option that has a value."""
    for line in lines:
        for option in line.options:
            if option.value:
                yield "|".join(_quoted(line, form) for form in option.forms), _flags([option.value])


def _words(lines: list[Line]) -> Iterator[tuple[str, str]]:
    """Behind anything else: options where a - is typed, else commands and what the arguments can be.

    The longest path comes first, for every line begins with the program's own, which is none.
    """
    for line in reversed(lines):
        forms = tuple(form for option in line.options for form in option.forms)
        yield _quoted(line, "-") + "*", _flags([Place("", forms)])
        yield _quoted(line, "") + "*", _flags([Place("", line.commands), *line.arguments])


def _flags(places: list[Place]) -> str:
    words = "\\n".join(word for place in places for word in place.words)
    kinds = [flag for place in places for flag in _KINDS.get(place.name, ())]
    paths = "; compopt -o filenames 2>/dev/null" if {"-d", "-f"} & set(kinds) else ""
    flags = " ".join([*([f"-W $'{words}'"] if words else []), *kinds])
    return f"flags=({flags}){paths}"
