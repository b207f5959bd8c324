"""Names of photos: what a client may call a file, made harmless. The name never becomes a path."""

from __future__ import annotations

import re
import unicodedata

LONGEST_NAME = 255
_LONGEST_NORMALISED = 4 * LONGEST_NAME  # bringing n combining marks into order takes n² steps
_LONGEST_EXTENSION = 10
UNNAMED = "photo"
_SEPARATORS = re.compile(r"[/\\]")
_HIDDEN_CATEGORIES = frozenset({"Cc", "Cs", "Zl", "Zp"})
_REORDERING = frozenset("\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f")


def clean_name(raw: str) -> str:
    """Return the last path component in NFC, without control or text-reordering characters, at most 255 characters.

    A name of which nothing is left becomes `photo`. A cut keeps the extension.
    """
    last = _SEPARATORS.split(raw.rstrip("/\\"))[-1]
    shown = last if last.isprintable() else "".join(char for char in last if _is_shown(char))
    normal = unicodedata.normalize("NFC", _shorten(shown.strip(), _LONGEST_NORMALISED)).strip()
    return _shorten(normal, LONGEST_NAME).strip() or UNNAMED


def fold_name(name: str) -> str:
    """Return the form in which names are searched: case-folded NFKC, Cyrillic as well."""
    return unicodedata.normalize("NFKC", name).casefold()


def _is_shown(char: str) -> bool:
    return unicodedata.category(char) not in _HIDDEN_CATEGORIES and char not in _REORDERING


def _shorten(name: str, longest: int) -> str:
    if len(name) <= longest:
        return name
    stem, dot, extension = name.rpartition(".")
    if not stem or len(extension) > _LONGEST_EXTENSION:
        return name[:longest]
    return stem[: longest - len(extension) - 1] + dot + extension
