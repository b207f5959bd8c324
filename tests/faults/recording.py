"""Records what Albumen does to the disk, and what it tells its clients meanwhile, in one order: with `strace`."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

from powercut import Step
from systemcalls import read_calls

from conftest import tool

_SENDS = {"write", "writev", "sendto", "sendmsg"}
_SYNCS = {"fsync", "fdatasync"}
_PLAIN = {
    **dict.fromkeys(("mkdir", "mkdirat"), "folder"),
    **dict.fromkeys(("unlink", "unlinkat", "rmdir"), "remove"),
    **dict.fromkeys(("rename", "renameat", "renameat2"), "rename"),
    **dict.fromkeys(_SYNCS, "sync"),
    **dict.fromkeys(("open", "openat", "creat"), "file"),
    **dict.fromkeys(("write", "writev", "pwrite64"), "write"),
    "ftruncate": "truncate",
}
_UNKNOWN = (
    "pwritev,pwritev2,link,linkat,symlink,symlinkat,truncate,fallocate,copy_file_range,sendfile,splice,msync,"
    "sync,syncfs,sync_file_range"
)
_TRACED = ",".join([*_PLAIN, "sendto", "sendmsg", _UNKNOWN])
_HEX = re.compile(r"(?:\\x[0-9a-f]{2})+")
_QUOTED = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')
_LAST_NUMBER = re.compile(r", (\d+)$")


@dataclass(frozen=True)
class Receipt:
    """One line of an answer, as soon as it began to leave the server."""

    place: int
    outcome: dict


def recorder(log):
    """Return the command that records another one into the file `log`."""
    return (
        tool("strace"),
        "-f",
        "--seccomp-bpf",
        "-yy",
        "-xx",
        "-s",
        "10000000",
        "-o",
        str(log),
        "-e",
        f"trace={_TRACED}",
    )


@dataclass(frozen=True)
class Recording:
    """Steps on the disk under `top`, where `data` is Albumen's directory, and receipts, each in order."""

    top: Path
    data: Path
    steps: list
    receipts: list

    @classmethod
    def read(cls, top, data, logs):
        """Read the logs of commands that ran one after the other."""
        recording, start = cls(top, data, [], []), 0
        for log in logs:
            calls = [call for call in read_calls(log.read_text()) if call.succeeded]
            recording.steps.extend(step for call in calls for step in recording._steps(call, start))
            recording.receipts.extend(_receipts(calls, start))
            start += max(call.ended for call in calls) + 1
        return recording

    def _steps(self, call, start):
        """Return the step that a call is; none when it changes nothing of ours."""
        paths = [path for path in map(Path, _paths(call)) if self._is_ours(path)]
        if not paths or (call.name.startswith("open") and "O_CREAT" not in call.arguments):
            return []
        what = _PLAIN[call.name]
        place = {"began": start + call.began, "ended": start + call.ended}
        if what == "rename":
            return [Step(what, paths[0], target=paths[1], **place)]
        return [Step(what, paths[0], data=_data(call, what), offset=_offset(call), **place)]

    def _is_ours(self, path):
        """Whether a path is the data directory, something in it, or a folder on the way there from the top."""
        is_on_the_way = path in self.data.parents and self.top in (path, *path.parents)
        return is_on_the_way or path == self.data or self.data in path.parents


def _paths(call):
    """Return the paths that a call is about: those it names, else that of its descriptor."""
    if call.name in _SENDS | _SYNCS | {"ftruncate", "pwrite64"}:
        return [_plain(call.target)]
    return [Path("/", _plain(folder), _bytes(name).decode()) for folder, name in call.named]


def _data(call, what):
    if what != "write":
        return b""
    return b"".join(map(_bytes, call.paths))[: call.result]


def _offset(call):
    """Return the place in the file; None for `write`: what Albumen writes so is opened for appending."""
    if call.name not in {"pwrite64", "ftruncate"}:
        return None
    return int(_LAST_NUMBER.search(call.arguments)[1])


def _receipts(calls, start):
    """Return the outcomes that left the server; a line counts from the call on that sends its end."""
    streams, receipts = {}, []
    for call in calls:
        if call.name in _SENDS and call.target.startswith("TCP"):
            sent = b"".join(map(_bytes, call.paths))[: call.result]
            *lines, rest = (streams.pop(call.target, b"") + sent).split(b"\n")
            streams[call.target] = rest
            receipts += [
                Receipt(start + call.began, json.loads(line)) for line in lines if line.startswith(b'{"index"')
            ]
    return receipts


def _plain(text):
    return _HEX.sub(lambda match: _bytes(match[0]).decode(), text)


def _bytes(text):
    return bytes.fromhex(text.replace("\\x", ""))
