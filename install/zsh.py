"""What zsh completes."""

from __future__ import annotations

from install.lines import FILES, FOLDERS, HOSTS, Line, Option, Step

_KINDS = {FOLDERS: "_files -/", FILES: "_files", HOSTS: "_hosts"}


def script(line: Line) -> str:
    """The completion of a program: its options, and a function for the words of its commands."""
    function = "_" + line.program.replace("-", "_")
    paths = "|".join(step.pattern for step in line.steps if step.path) or "''"
    options = "".join(f"        {spec} \\\n" for option in line.options for spec in _specs(option))
    cases = "\n".join(f"        {step.pattern}) {_offered(step)} ;;" for step in line.steps)
    return f"""\
#compdef {line.program}
# Made from the options of {line.program} by: make share
{function}_words() {{
    local at="" each
    local -a offered
    for each in ${{words[2,CURRENT-1]}}; do
        case "$at $each" in
            {paths}) at+=" $each" ;;
        esac
    done
    case $at in
{cases}
    esac
}}
{function}() {{
    _arguments \\
{options}        '*: :{function}_words'
}}
{function} "$@"
"""


def _specs(option: Option) -> list[str]:
    """An option's forms, of which each excludes the others."""
    others = f"({' '.join(option.forms)})" if len(option.forms) > 1 else ""
    told = option.told.replace("[", "\\[").replace("]", "\\]")
    words = f"({' '.join(option.words)})" if option.words else " "
    taken = f":{option.value}:{_KINDS.get(option.value, words)}" if option.value else ""
    return [_quoted(f"{others}{form}[{told}]{'' if option.needed else ':'}{taken}") for form in option.forms]


def _offered(step: Step) -> str:
    words = " ".join(_quoted(f"{word}:{told}") for word, told in step.words.items())
    described = [f"offered=({words}); _describe command offered"] if words else []
    return "; ".join([*described, *(_KINDS[each] for each in step.values if each in _KINDS)])


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"
