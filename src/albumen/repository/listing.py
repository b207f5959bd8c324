"""Which photos a list is of, as SQL: one prepared statement per shape, so that each meets the index made for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from albumen.domain.names import fold_name
from albumen.repository.dialect import CONTAINS
from albumen.repository.engine import statement

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import TextClause

BEFORE_ALL_IDS = ""
AFTER_ALL_IDS = "g"

_LIVE = " WHERE p.deleted_at IS NULL AND p.id < :cursor AND p.id >= :since"
_TRASH = " WHERE p.deleted_at IS NOT NULL AND p.id < :cursor AND p.id >= :since"
_IN_DATASET = " AND p.dataset_id = :dataset_id"
_NAMED = " AND " + CONTAINS.format(text="p.name_folded", part=":part")


class Shape(NamedTuple):
    """Which conditions a list has besides its span."""

    trash: bool
    by_dataset: bool
    by_name: bool


@dataclass(frozen=True, slots=True)
class PageQuery:
    """Which photos to list: newest first, those before `cursor` and from `since` on (both ids), `limit` at most."""

    limit: int
    cursor: str | None = None
    dataset_id: int | None = None
    name: str | None = None
    trash: bool = False
    since: str | None = None

    @property
    def shape(self) -> Shape:
        """The statement that answers this."""
        return Shape(self.trash, self.dataset_id is not None, self.name is not None)

    def values(self) -> dict[str, object]:
        """Return the binds of that statement."""
        values: dict[str, object] = {
            "cursor": self.cursor or AFTER_ALL_IDS,
            "since": self.since or BEFORE_ALL_IDS,
            "limit": self.limit,
        }
        if self.dataset_id is not None:
            values["dataset_id"] = self.dataset_id
        if self.name is not None:
            values["part"] = fold_name(self.name)
        return values


def shaped(head: str, tail: str) -> Mapping[Shape, TextClause]:
    """Prepare one statement per shape: `head` selects from `photo AS p`, the conditions follow, then `tail`."""
    return {
        Shape(trash, by_dataset, by_name): statement(
            head
            + (_TRASH if trash else _LIVE)
            + (_IN_DATASET if by_dataset else "")
            + (_NAMED if by_name else "")
            + tail
        )
        for trash in (False, True)
        for by_dataset in (False, True)
        for by_name in (False, True)
    }
