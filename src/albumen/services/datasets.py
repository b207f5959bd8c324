"""Datasets and totals."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

from albumen.domain.datasets import DEFAULT_DATASET, Dataset, check_slug
from albumen.errors import DatasetExists, InvalidParameter
from albumen.services.listing import check_limit

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from albumen.domain.datasets import Day
    from albumen.repository.datasets import DatasetRepository
    from albumen.repository.engine import Database

LONGEST_NAME = 200
# Russian letters in Latin ones; slugFor of the web client (state/datasets.svelte.ts) has the same.
_LETTERS = "абвгдезийклмнопрстуфыэ", "abvgdeziyklmnoprstufye"
_GROUPS = {
    "ё": "yo",
    "ж": "zh",
    "х": "kh",  # noqa: RUF001 - a Russian letter
    "ц": "ts",
    "ч": "ch",
    "ш": "sh",
    "щ": "shch",
    "ю": "yu",
    "я": "ya",
    "ъ": "",
    "ь": "",
}
_LATIN = str.maketrans(dict(zip(*_LETTERS, strict=True)) | _GROUPS)


@dataclass(frozen=True, slots=True)
class DatasetPage:
    """Datasets by slug, and the cursor of the next page when there is one."""

    datasets: Sequence[Dataset]
    next: str | None


class Datasets:
    """Lists and makes datasets. The default one is there from the start."""

    def __init__(self, database: Database, datasets: DatasetRepository, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._datasets = datasets
        self._clock = clock

    def ensure_default(self) -> None:
        """Make the dataset that takes uploads without one."""
        with self._database.writing() as tx:
            self._datasets.add(tx, DEFAULT_DATASET, DEFAULT_DATASET, self._clock())

    def page(self, limit: int, cursor: str | None = None) -> DatasetPage:
        """Return at most `limit` datasets, those after `cursor`. Raises InvalidParameter for either."""
        check_limit(limit)
        start = "" if cursor is None else check_slug(cursor, "cursor")
        with self._database.reading() as tx:
            found = self._datasets.page(tx, start, limit + 1)
        return DatasetPage(found[:limit], found[limit - 1].slug if len(found) > limit else None)

    def get(self, slug: str) -> Dataset:
        """Return one dataset. Raises DatasetNotFound."""
        with self._database.reading() as tx:
            return self._datasets.get(tx, slug)

    def create(self, name: str, slug: str | None = None) -> Dataset:
        """Make a dataset; without a slug one is made from the name.

        Raises:
            InvalidParameter: No slug can be made, or the slug or the name is not allowed.
            DatasetExists: The slug is taken.
        """
        shown = _shown(name)
        chosen = check_slug(slug or _slug_of(shown), "slug")
        with self._database.writing() as tx:
            if not self._datasets.add(tx, chosen, shown, self._clock()):
                raise DatasetExists(f"There is a dataset '{chosen}' already.", dataset=chosen)
            return self._datasets.get(tx, chosen)

    def rename(self, slug: str, name: str) -> Dataset:
        """Give a dataset another name; its slug, by which clients know it, stays.

        Raises:
            InvalidParameter: The name is not allowed.
            DatasetNotFound: There is none of that slug.
        """
        shown = _shown(name)
        with self._database.writing() as tx:
            self._datasets.rename(tx, slug, shown)
            return self._datasets.get(tx, slug)

    def days(self) -> Sequence[Day]:
        """Return totals by day of upload, newest first."""
        with self._database.reading() as tx:
            return self._datasets.days(tx)


def _shown(name: str) -> str:
    shown = name.strip()
    if not 0 < len(shown) <= LONGEST_NAME:
        raise InvalidParameter("name", f"1 to {LONGEST_NAME} characters")
    return shown


def _slug_of(name: str) -> str:
    latin = unicodedata.normalize("NFC", name).lower().translate(_LATIN)
    return re.sub(r"[^a-z0-9]+", "-", latin).strip("-")[:63].rstrip("-")
