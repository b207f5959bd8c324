"""Program of the decoder process: a task per line on standard input, a reply per line on standard output.

Started by `albumen.imaging.child` with its limits as JSON in the one argument. It reads the photo and writes the
targets that a task names and nothing else; it ends when its input closes. It must not import services, storage or
repository.
"""

from __future__ import annotations

import errno
import json
import os
import resource
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from albumen.imaging import preview
from albumen.imaging.task import Derived, Failure, Task, read_task, reply_line

if TYPE_CHECKING:
    import pyvips

# Far above the largest preset in the least favourable format, far below what could fill a disk.
_MAX_FILE_BYTES = 64 * 1024 * 1024
_UNWRITTEN = {errno.ENOSPC: "full", errno.EDQUOT: "full", errno.EFBIG: "photo"}  # the last: our own limit of file size


class Unwritten(OSError):
    """A preview could not be written, which is no fault of the photo."""


def main() -> None:
    """Answer tasks until the parent closes the pipe or is gone."""
    limits = json.loads(sys.argv[1])
    replies = _private_stdout()
    _stand_back(limits["niceness"])
    _limit(limits["memory_bytes"])
    _send(replies, b"\n")
    while line := sys.stdin.buffer.readline():
        _renew_cpu_limit(limits["cpu_seconds"])
        _send(replies, reply_line(_answer(read_task(line))))


def _answer(task: Task) -> Derived | Failure | None:
    try:
        if task.action == "derive":
            return _derive(task)
        _write(task, preview.render(task.source, task.media_type, {wish.size for wish in task.wishes}))
    except MemoryError:
        return Failure("memory", "out of memory")
    except Unwritten as exc:
        return Failure(_UNWRITTEN.get(exc.errno or 0, "disk"), _reason(exc))
    except Exception as exc:  # noqa: BLE001 - whatever a library raises at hostile bytes, the parent needs an answer
        return Failure("photo", _reason(exc))
    return None


def _derive(task: Task) -> Derived:
    # Pillow alone takes as long to import as everything else; only deriving needs it.
    from albumen.imaging.metadata import read_metadata  # noqa: PLC0415 - see above
    from albumen.imaging.placeholder import EDGE, thumb_hash  # noqa: PLC0415 - likewise

    pictures = preview.render(task.source, task.media_type, {EDGE, *(wish.size for wish in task.wishes)})
    placeholder = thumb_hash(*preview.rgba(pictures[EDGE]))
    _write(task, pictures)
    return Derived(read_metadata(task.source, task.media_type), placeholder)


def _write(task: Task, pictures: dict[int, pyvips.Image]) -> None:
    for wish in task.wishes:
        data = preview.encode(pictures[wish.size], wish.format)
        try:
            _write_file(wish.target, data)
        except OSError as exc:
            raise Unwritten(*exc.args) from exc


def _write_file(target: Path, data: bytes) -> None:
    with target.open("wb") as file:
        file.write(data)
        file.flush()
        os.fdatasync(file.fileno())


def _private_stdout() -> int:
    """Keep the pipe to the parent from what a C library may print."""
    replies = os.dup(sys.stdout.fileno())
    with Path(os.devnull).open("wb") as nowhere:
        os.dup2(nowhere.fileno(), sys.stdout.fileno())
    return replies


def _stand_back(niceness: int) -> None:
    """Be the first to yield the processor and to die for memory, and leave signals of the whole group to the parent.

    A stop (Ctrl-C, systemd) reaches every process; the parent finishes its requests and then closes the pipe.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    os.nice(niceness)
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("800", "ascii")


def _limit(memory_bytes: int) -> None:
    taken = int(Path("/proc/self/statm").read_text("ascii").split()[0]) * resource.getpagesize()
    _lower(resource.RLIMIT_AS, taken + memory_bytes)
    _lower(resource.RLIMIT_FSIZE, _MAX_FILE_BYTES)
    _lower(resource.RLIMIT_CORE, 0)


def _renew_cpu_limit(seconds: int) -> None:
    """Allow this many seconds of processor from now on: what counts when the parent, which has the clock, is gone."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
    soft = int(used.ru_utime + used.ru_stime) + 1 + seconds
    resource.setrlimit(resource.RLIMIT_CPU, (soft if hard == resource.RLIM_INFINITY else min(soft, hard), hard))


def _lower(limit: int, value: int) -> None:
    """Set a limit for good, unless the one that was inherited is stricter."""
    hard = resource.getrlimit(limit)[1]
    value = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(limit, (value, value))


def _send(replies: int, line: bytes) -> None:
    try:
        os.write(replies, line)
    except BrokenPipeError:
        sys.exit(0)


def _reason(exc: Exception) -> str:
    text = " ".join(f"{type(exc).__name__}: {exc}".split())
    return "".join(character for character in text if character.isprintable())


if __name__ == "__main__":
    main()
