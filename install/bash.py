"""What bash completes; it needs no other package for that."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from install.lines import FILES, FOLDERS, HOSTS, Line

_KINDS = {FOLDERS: ("-d",), FILES: ("-f",), HOSTS: ("-A", "hostname")}


def script(line: Line) -> str:
    """The completion of a program. ``at`` is the command so far, ``flags`` what compgen is asked for."""
    function = "_" + line.program.replace("-", "_")
    options = [form for option in line.options for form in option.forms]
    return f"""\
# What bash completes for {line.program}; made from its own options by: make share
{function}() {{
    local IFS=$'\\n' at="" each flags word=${{COMP_WORDS[COMP_CWORD]}}
    for each in "${{COMP_WORDS[@]:1:COMP_CWORD-1}}"; do
        case "$at $each" in
            {"|".join(step.pattern for step in line.steps if step.path) or "''"}) at+=" $each" ;;
        esac
    done
    case "$at" in
{_rows((step.pattern, _flags(step.words, step.values)) for step in line.steps)}
    esac
    [[ $word == -* ]] && {_flags(options, ())}
    case "${{COMP_WORDS[COMP_CWORD-1]}}" in
{_rows(_values(line))}
    esac
    [[ -n ${{flags[0]}} ]] || return
    COMPREPLY=($(compgen "${{flags[@]}}" -- "$word"))
}}
complete -F {function} {line.program}
"""


def _rows(branches: Iterable[tuple[str, str]]) -> str:
    return "\n".join(f"        {pattern}) {what} ;;" for pattern, what in branches)


def _values(line: Line) -> Iterator[tuple[str, str]]:
    """Behind an option that has a value."""
    for option in line.options:
        if option.value:
            yield "|".join(option.forms), _flags(option.words, (option.value,))


def _flags(words: Iterable[str], values: Iterable[str]) -> str:
    kinds = [flag for each in values for flag in _KINDS.get(each, ())]
    paths = "; compopt -o filenames 2>/dev/null" if {"-d", "-f"} & set(kinds) else ""
    listed = "\\n".join(words)
    flags = " ".join([*([f"-W $'{listed}'"] if listed else []), *kinds])
    return f"flags=({flags}){paths}"
