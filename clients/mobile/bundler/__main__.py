"""Build the static web bundle of the mobile client, offline, from installed packages alone.

    python clients/mobile/bundler            build when a source is newer than the bundle
    python clients/mobile/bundler --force    build anyway

The bundle goes to `src/albumen_mobile/web`: `index.html` and what it names first, and one folder named after the
digest of everything in it, so that browsers may keep its files for ever. Files that shrink are stored as `.gz` only.
"""

from __future__ import annotations

import fcntl
import gzip
import hashlib
import importlib.metadata
import shutil
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from archive import pack_app, trim_standard_library
from engine import copy_engine, web_folder
from glyphs import subset_icons, write_fallback

HERE = Path(__file__).resolve().parent
PAGE = HERE / "page"
PACKAGE = HERE.parent / "src" / "albumen_mobile"
ENTRY = HERE.parent / "src" / "main.py"
ICONS = HERE.parent / "src" / "assets"
TARGET = PACKAGE / "web"
STAMP = "sources.txt"
PACKED = frozenset({".woff2", ".zip", ".png", ".gz"})  # compressed already
DIGEST_LETTERS = 16


def main(arguments: list[str]) -> None:
    """Build when it is needed; only one build runs at a time."""
    with (HERE.parent / "bundle.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        stamp = sources_digest()
        if "--force" not in arguments and _is_fresh(stamp):
            return
        build(stamp)
    files = [path for path in TARGET.rglob("*") if path.is_file()]
    print(f"{TARGET}: {len(files)} files, {sum(path.stat().st_size for path in files):,} bytes")  # noqa: T201 - a command


def sources_digest() -> str:
    """Return a digest of all that the bundle is made of: our sources and the versions of the packages."""
    own = [*HERE.rglob("*"), *PACKAGE.rglob("*"), *ICONS.rglob("*"), ENTRY]
    read = sorted(path for path in own if path.is_file() and TARGET not in path.parents and path.suffix != ".pyc")
    digest = hashlib.sha256(sys.version.encode())
    for name in ("flet", "flet-web", "msgpack", "repath", "six", "fonttools", "manimgx-fonts"):
        digest.update(f"{name} {importlib.metadata.version(name)}\n".encode())
    for path in read:
        digest.update(path.relative_to(HERE.parent).as_posix().encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def build(stamp: str) -> None:
    """Make the bundle beside its final place and put it there in one step."""
    with TemporaryDirectory(dir=PACKAGE, prefix=".web-") as folder:
        made = Path(folder) / "web"
        files = made / "files"
        copy_engine(files)
        subset_icons(files / "assets/fonts/MaterialIcons-Regular.otf", PACKAGE)
        write_fallback(files / "assets/fonts/fallback.woff2")
        trim_standard_library(web_folder() / "pyodide/python_stdlib.zip", files / "pyodide/python_stdlib.zip")
        pack_app(files / "app.tar.gz", ENTRY, PACKAGE, leave_out=TARGET)
        shutil.copy(PAGE / "start.js", files)
        shutil.copy(PAGE / "start.css", files)
        _compress(files)
        digest = _digest(files)[:DIGEST_LETTERS]
        files.rename(made / digest)
        _write_page(made, digest)
        (made / STAMP).write_text(stamp)
        _replace(made)


def _is_fresh(stamp: str) -> bool:
    try:
        return (TARGET / STAMP).read_text() == stamp
    except FileNotFoundError:
        return False


def _compress(folder: Path) -> None:
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.suffix not in PACKED:
            path.with_name(path.name + ".gz").write_bytes(gzip.compress(path.read_bytes(), 9, mtime=0))
            path.unlink()


def _digest(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        digest.update(path.relative_to(folder).as_posix().encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _write_page(made: Path, digest: str) -> None:
    page = (PAGE / "index.html").read_text("utf-8").replace("{{folder}}", digest)
    (made / "index.html").write_text(page, "utf-8")
    shutil.copy(PAGE / "manifest.json", made)
    for icon in sorted(ICONS.glob("icon*.png")):
        shutil.copy(icon, made)


def _replace(made: Path) -> None:
    old = made.with_name("old")
    if TARGET.exists():
        TARGET.rename(old)
    made.rename(TARGET)


if __name__ == "__main__":
    main(sys.argv[1:])
