"""A model of a disk under a power cut, as strict as POSIX allows a file system to be.

The rules:

- Bytes of a file are durable once that file was synced, up to the last sync; until then each write may be there or not,
  and the last one of them may be torn.
- A name in a folder (made, renamed, removed) is durable once that folder was synced; until then each change may be
  there or not. Syncing a file does not make its name durable, and a rename is two changes: each may survive alone.
- A sync covers what ended before the sync began.

The folder at the top is durable, and empty at the start. Shared memory (`-shm`) is left out: SQLite makes it anew.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

SHARED_MEMORY = "-shm"


@dataclass(frozen=True)
class Step:
    """One change of the disk, or one sync. `began` and `ended` are places in the recording: smaller is earlier.

    `what` is folder, file, write, truncate, rename, remove or sync; `offset` None appends.
    """

    what: str
    path: Path
    began: int
    ended: int
    target: Path | None = None
    data: bytes = b""
    offset: int | None = None


@dataclass
class File:
    """Bytes: the durable ones, and the changes since the last sync as (place, offset, data); data None cuts there."""

    durable: bytearray = field(default_factory=bytearray)
    pending: list = field(default_factory=list)
    size: int = 0

    def write(self, place, offset, data):
        start = self.size if offset is None else offset
        self.pending.append((place, start, data))
        self.size = max(self.size, start + len(data))

    def truncate(self, place, size):
        self.pending.append((place, size, None))
        self.size = size

    def sync(self, began):
        for change in _before(self.pending, began):
            _change_bytes(self.durable, change)
        self.pending = _after(self.pending, began)

    def survivor(self, cut):
        content = bytearray(self.durable)
        for change in cut.bytes(self.pending):
            _change_bytes(content, change)
        return bytes(content)


@dataclass
class Folder:
    """Names: the durable ones, and the changes since the last sync as (place, name, node); node None removes."""

    durable: dict = field(default_factory=dict)
    pending: list = field(default_factory=list)
    names: dict = field(default_factory=dict)

    def set(self, place, name, node):
        self.pending.append((place, name, node))
        _change_names(self.names, (place, name, node))

    def sync(self, began):
        for change in _before(self.pending, began):
            _change_names(self.durable, change)
        self.pending = _after(self.pending, began)

    def survivor(self, cut):
        names = dict(self.durable)
        for change in cut.names(self.pending):
            _change_names(names, change)
        return {name: node.survivor(cut) for name, node in names.items()}


class Disk:
    """What is under `top`, step by step."""

    def __init__(self, top):
        self._top = top
        self._root = Folder()

    def apply(self, step):
        """Take the next step of a recording."""
        getattr(self, f"_{step.what}")(step)

    def survivor(self, cut):
        """Return what is there after a power cut now: a dict of names, in which bytes are files and dicts folders."""
        return self._root.survivor(cut)

    def _folder(self, step):
        self._parent(step.path).set(step.ended, step.path.name, Folder())

    def _file(self, step):
        if step.path.name not in self._parent(step.path).names:
            self._parent(step.path).set(step.ended, step.path.name, File())

    def _write(self, step):
        self._node(step.path).write(step.ended, step.offset, step.data)

    def _truncate(self, step):
        self._node(step.path).truncate(step.ended, step.offset)

    def _rename(self, step):
        node = self._node(step.path)
        self._parent(step.target).set(step.ended, step.target.name, node)
        self._parent(step.path).set(step.ended, step.path.name, None)

    def _remove(self, step):
        self._parent(step.path).set(step.ended, step.path.name, None)

    def _sync(self, step):
        self._node(step.path).sync(step.began)

    def _parent(self, path):
        return self._node(path.parent)

    def _node(self, path):
        node = self._root
        for name in path.relative_to(self._top).parts:
            node = node.names[name]
        return node


class Cut:
    """Which of the changes that no sync covers survive: all of the names or none, all of the bytes or none."""

    def __init__(self, *, names, bytes):  # noqa: A002 - both words name what survives
        self._names = names
        self._bytes = bytes

    def names(self, pending):
        return pending if self._names else []

    def bytes(self, pending):
        return pending if self._bytes else []


class RandomCut:
    """Each change survives or not, as the seed says; the last write that does is torn now and then."""

    def __init__(self, seed):
        self._random = random.Random(seed)  # noqa: S311 - repeatable

    def names(self, pending):
        return self._some(pending)

    def bytes(self, pending):
        kept = self._some(pending)
        if kept and kept[-1][2] and self._random.random() < 0.5:
            place, offset, data = kept[-1]
            kept[-1] = (place, offset, data[: self._random.randrange(len(data))])
        return kept

    def _some(self, pending):
        share = self._random.random()
        return [change for change in pending if self._random.random() < share]


NOTHING = Cut(names=False, bytes=False)
EVERYTHING = Cut(names=True, bytes=True)
NAMES_WITHOUT_BYTES = Cut(names=True, bytes=False)
BYTES_WITHOUT_NAMES = Cut(names=False, bytes=True)


def lay_out(survivor, folder):
    """Write what survived into a folder."""
    folder.mkdir()
    for name, node in survivor.items():
        if isinstance(node, dict):
            lay_out(node, folder / name)
        elif not name.endswith(SHARED_MEMORY):
            (folder / name).write_bytes(node)


def _before(changes, began):
    return [change for change in changes if change[0] < began]


def _after(changes, began):
    return [change for change in changes if change[0] >= began]


def _change_bytes(content, change):
    _, offset, data = change
    if len(content) < offset:
        content.extend(bytes(offset - len(content)))
    if data is None:
        del content[offset:]
    else:
        content[offset : offset + len(data)] = data


def _change_names(names, change):
    _, name, node = change
    if node is None:
        names.pop(name, None)
    else:
        names[name] = node
