"""A row of pages of which one is in view: it is swiped through at natural size, and moved about when zoomed in.

Flutter's PageView takes every horizontal drag, also over a page that is zoomed in. So here the page in view gets all
touches and tells the row how far it is drawn aside. It knows nothing of photos.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import flet as ft

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    Pulled = Callable[[float], None]
    Released = Callable[[float, float], Awaitable[None]]

NATURAL, TAPPED, LARGEST = 1.0, 3.0, 8.0
NEARLY_NATURAL = 1.1  # a page that is let go of below this goes back to its natural size
FAR = 0.25  # of the width: drawn as far as this, the row goes on
FAST = 500.0  # pixels a second: so it does when it is flicked
PINCH_REST = 250  # milliseconds: one finger that starts sooner after a pinch was part of it
STIFF = 0.3  # how far the row follows where it ends
SLIDE = ft.Animation(180, ft.AnimationCurve.EASE_OUT_CUBIC)
SHRINK = ft.Duration(milliseconds=180)


class Zoomable:
    """A page that two fingers or a double tap zoom; `pulled` and `released` get horizontal drags at natural size.

    `pulled` gets the pixels drawn so far, `released` those and the pixels per second at the end.
    """

    def __init__(self, content: ft.Control, pulled: Pulled, released: Released) -> None:
        self._pulled, self._released = pulled, released
        self._scale = self._scale_before = NATURAL
        self._start = ft.Offset()
        self._distance = 0.0
        self._is_pinch, self._pinched_at = False, -PINCH_REST
        self._viewer = ft.InteractiveViewer(
            ft.GestureDetector(content, on_double_tap_down=self._on_double_tap),
            max_scale=LARGEST,
            min_scale=NATURAL,
            interaction_update_interval=0,
            on_interaction_start=self._on_start,
            on_interaction_update=self._on_update,
            on_interaction_end=self._on_end,
        )

    @property
    def control(self) -> ft.Control:
        """What is drawn."""
        return self._viewer

    async def shrink(self) -> None:
        """Go back to the natural size."""
        if self._scale != NATURAL:
            self._scale = NATURAL
            await self._viewer.reset(SHRINK)

    def _on_start(self, event: ft.ScaleStartEvent[ft.InteractiveViewer]) -> None:
        self._scale_before, self._start, self._distance = self._scale, event.global_focal_point, 0.0
        self._is_pinch = event.pointer_count > 1 or _milliseconds(event.timestamp) - self._pinched_at < PINCH_REST

    def _on_update(self, event: ft.ScaleUpdateEvent[ft.InteractiveViewer]) -> None:
        self._scale = min(max(self._scale_before * event.scale, NATURAL), LARGEST)
        if self._is_pinch:
            self._pinched_at = _milliseconds(event.timestamp)
        if self._is_pinch or self._scale != NATURAL:
            return
        aside = event.global_focal_point.x - self._start.x
        is_aside = abs(aside) > abs(event.global_focal_point.y - self._start.y)
        self._distance = aside if is_aside else 0.0
        self._pulled(self._distance)

    async def _on_end(self, event: ft.ScaleEndEvent[ft.InteractiveViewer]) -> None:
        distance, self._distance = self._distance, 0.0
        if distance:
            await self._released(distance, event.velocity.x if event.pointer_count == 0 else 0.0)
        elif self._scale < NEARLY_NATURAL:
            await self.shrink()

    async def _on_double_tap(self, event: ft.TapEvent[ft.GestureDetector]) -> None:
        if self._scale != NATURAL:
            await self.shrink()
            return
        self._scale = TAPPED
        place, part = event.local_position or ft.Offset(), 1 - 1 / TAPPED
        # Both at once, so that they are drawn at once: what was tapped stays where it is.
        await asyncio.gather(self._viewer.zoom(TAPPED), self._viewer.pan(-place.x * part, -place.y * part))


def _milliseconds(moment: ft.Duration | None) -> int:
    return moment.in_milliseconds if moment else 0


class Pager:
    """Pages side by side. The neighbours of the page in view are there, too, so that their pictures are loaded."""

    def __init__(self, count: int, index: int, on_swipe: Callable[[int], Awaitable[None]]) -> None:
        self._index, self._on_swipe = index, on_swipe
        self._zoomables: dict[int, Zoomable] = {}
        self._pages = [
            ft.Container(alignment=ft.Alignment.CENTER, animate_offset=SLIDE, left=0, top=0, right=0, bottom=0)
            for _ in range(count)
        ]
        self._row = ft.Stack(expand=True)
        self._place(0.0)

    @property
    def control(self) -> ft.Control:
        """What is drawn."""
        return self._row

    def fill(self, index: int, content: ft.Control) -> None:
        """Put something on a page."""
        self._zoomables[index] = Zoomable(content, self._pull, self._release)
        self._pages[index].content = self._zoomables[index].control

    def tell(self, index: int, content: ft.Control) -> None:
        """Put something on a page that cannot be zoomed."""
        self._pages[index].content = content

    async def turn_to(self, index: int) -> None:
        """Bring a neighbour into view; the page that was there goes back to its natural size."""
        left = self._zoomables.get(self._index)
        self._index = index
        self._place(0.0)
        self._row.update()
        if left is not None:
            await left.shrink()

    def _pull(self, distance: float) -> None:
        self._place(distance / self._width * (1.0 if self._neighbour(distance) is not None else STIFF))
        self._row.update()

    async def _release(self, distance: float, speed: float) -> None:
        is_meant = abs(distance) > FAR * self._width or (abs(speed) > FAST and speed * distance > 0)
        neighbour = self._neighbour(distance) if is_meant else None
        if neighbour is None:
            self._pull(0.0)
        else:
            await self._on_swipe(neighbour)

    def _neighbour(self, distance: float) -> int | None:
        """Return the page on the side that a drag brings into view; None where the row ends."""
        index = self._index - 1 if distance > 0 else self._index + 1
        return index if 0 <= index < len(self._pages) else None

    def _place(self, drawn: float) -> None:
        """Lay the page in view and its neighbours side by side, `drawn` widths aside."""
        near = range(max(0, self._index - 1), min(len(self._pages), self._index + 2))
        for number in near:
            self._pages[number].offset = ft.Offset(number - self._index + drawn, 0)
        self._row.controls = [self._pages[number] for number in near]

    @property
    def _width(self) -> float:
        return float(self._row.page.width or 1.0)
