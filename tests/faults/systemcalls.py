"""Reads what `strace -f -yy` wrote: system calls with the order in which they began and ended."""

from __future__ import annotations

import re
from dataclasses import dataclass

_LINE = re.compile(r"(?P<thread>\d+) +(?P<rest>.*)")
_RESUMED = re.compile(r"<\.\.\. (?P<name>\w+) resumed>(?P<rest>.*)")
_CALL = re.compile(r"(?P<name>\w+)\((?P<arguments>.*)\) += (?P<result>-?\d+)", re.DOTALL)
_UNFINISHED = " <unfinished ...>"
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')
_NAMED = re.compile(r'(?:(?:AT_FDCWD|\d+)<(?P<folder>[^"]*?)>, )?"(?P<name>(?:[^"\\]|\\.)*)"')
_TARGET = re.compile(r"\d+<(?P<target>.*?)>(?:,|$)")


@dataclass(frozen=True)
class Call:
    """One system call that ended. `began` and `ended` are places in the trace: smaller is earlier."""

    name: str
    arguments: str
    result: int
    began: int
    ended: int

    @property
    def paths(self):
        """The texts among the arguments."""
        return _QUOTED.findall(self.arguments)

    @property
    def named(self):
        """The paths that it names, each as the folder it starts from (empty where it says none) and the rest."""
        return [(found["folder"] or "", found["name"]) for found in _NAMED.finditer(self.arguments)]

    @property
    def target(self):
        """What the descriptor in the first argument stands for: a path, or both ends of a connection."""
        found = _TARGET.match(self.arguments)
        return found["target"] if found else ""

    @property
    def succeeded(self):
        """Whether it did what was asked for."""
        return self.result >= 0


def read_calls(trace):
    """Return the calls of all threads in the order in which they ended; a call may be written in two parts."""
    begun, calls = {}, []
    for place, line in enumerate(trace.splitlines()):
        match = _LINE.match(line)
        thread, rest = match["thread"], match["rest"]
        if rest.endswith(_UNFINISHED):
            begun[thread] = (place, rest.removesuffix(_UNFINISHED))
            continue
        began, text = place, rest
        resumed = _RESUMED.match(rest)
        if resumed:
            began, head = begun.pop(thread)
            text = head + resumed["rest"]
        calls += _parsed(text, began, place)
    return calls


def _parsed(text, began, ended):
    """Nothing for signals and exits."""
    match = _CALL.match(text)
    return [Call(match["name"], match["arguments"], int(match["result"]), began, ended)] if match else []
