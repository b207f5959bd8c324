"""The Python side of the bundle: our code with the packages that it needs, and a standard library without ballast."""

from __future__ import annotations

import gzip
import io
import tarfile
import zipfile
from typing import TYPE_CHECKING

from engine import package_folder

if TYPE_CHECKING:
    from pathlib import Path

PACKAGES = ("flet", "msgpack", "repath", "six")
LEFT_OUT_OF_FLET = ("flet/fastapi", "flet/testing", "flet/auth/providers", "flet/cli.py", "flet/pytest_plugin.py")
# Modules that nothing in a page can use: tools, servers, mail, processes, and the tables of rare encodings.
UNUSED_MODULES = frozenset(
    {
        "_pyrepl",
        "bdb",
        "cProfile",
        "cmd",
        "compileall",
        "curses",
        "dbm",
        "doctest",
        "ensurepip",
        "ftplib",
        "idlelib",
        "imaplib",
        "lib2to3",
        "mailbox",
        "multiprocessing",
        "nntplib",
        "optparse",
        "pdb",
        "pickletools",
        "poplib",
        "profile",
        "pstats",
        "pty",
        "pyclbr",
        "pydoc",
        "pydoc_data",
        "smtplib",
        "socketserver",
        "sqlite3",
        "sre_compile",
        "tabnanny",
        "telnetlib",
        "this",
        "timeit",
        "tkinter",
        "trace",
        "tracemalloc",
        "turtle",
        "turtledemo",
        "unittest",
        "venv",
        "wsgiref",
        "xml",
        "xmlrpc",
        "zipapp",
    }
)
KEPT_ENCODINGS = frozenset(
    {
        "__init__",
        "aliases",
        "ascii",
        "cp437",
        "idna",
        "latin_1",
        "punycode",
        "raw_unicode_escape",
        "unicode_escape",
        "utf_16",
        "utf_16_be",
        "utf_16_le",
        "utf_32",
        "utf_8",
        "utf_8_sig",
    }
)


def trim_standard_library(source: Path, target: Path) -> None:
    """Write a copy of Pyodide's zipped standard library without what this client cannot reach."""
    with zipfile.ZipFile(source) as full, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as small:
        for name in sorted(full.namelist()):
            if not name.endswith("/") and _is_needed(name):
                small.writestr(zipfile.ZipInfo(name), full.read(name), zipfile.ZIP_DEFLATED, 9)


def pack_app(target: Path, entry: Path, package: Path, *, leave_out: Path) -> None:
    """Pack the entry, our package, and under `__pypackages__` the others, the same bytes for the same sources."""
    members = {"main.py": entry}
    members |= {f"albumen_mobile/{path.relative_to(package).as_posix()}": path for path in _sources(package, leave_out)}
    for name in PACKAGES:
        members |= {f"__pypackages__/{inner}": path for inner, path in _package(name).items()}
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for name, path in sorted(members.items()):
            data = path.read_bytes()
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    target.write_bytes(gzip.compress(packed.getvalue(), 9, mtime=0))


def _is_needed(name: str) -> bool:
    head, _, rest = name.partition("/")
    if head == "encodings":
        return rest.removesuffix(".py") in KEPT_ENCODINGS
    return head.removesuffix(".py") not in UNUSED_MODULES


def _package(name: str) -> dict[str, Path]:
    folder = package_folder(name)
    if (folder / f"{name}.py").is_file():
        return {f"{name}.py": folder / f"{name}.py"}
    found = {f"{name}/{path.relative_to(folder).as_posix()}": path for path in _sources(folder, None)}
    return {inner: path for inner, path in found.items() if not inner.startswith(LEFT_OUT_OF_FLET)}


def _sources(folder: Path, leave_out: Path | None) -> list[Path]:
    kinds = {".py", ".json"}
    return [path for path in folder.rglob("*") if path.suffix in kinds and leave_out not in path.parents]
