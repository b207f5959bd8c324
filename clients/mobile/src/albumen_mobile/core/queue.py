"""The upload queue: several photos at a time, each with a state of its own; it outlives lost connections.

    WAITING ─> CHECKING ─> SENDING ─> CREATED | DUPLICATE
                                 └──> FAILED (may be retried) | REFUSED (may not)

Memory is bounded by the transport: the queue holds names, sizes and states, never bytes.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING

from albumen_mobile.core.troubles import NotAlbumen, Refused, Trouble, Unreachable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Sequence

    from albumen_mobile.core.api import Api
    from albumen_mobile.core.model import Receipt
    from albumen_mobile.transport.base import ChosenFile

AT_ONCE = 4
GROUP = 32  # digests in one question whether the server knows them
MOST_BYTES = 200_000_000  # what a server takes by default
MOST_ATTEMPTS = 5
BUSY = frozenset({408, 429, 503})  # the server tells when to come back
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 15.0


class State(Enum):
    """Where a photo is on its way."""

    WAITING = "waiting"
    CHECKING = "checking"
    SENDING = "sending"
    CREATED = "created"
    DUPLICATE = "duplicate"
    FAILED = "failed"
    REFUSED = "refused"


GOOD = frozenset({State.CREATED, State.DUPLICATE})
BAD = frozenset({State.FAILED, State.REFUSED})


@dataclass(frozen=True, slots=True)
class Item:
    """A photo in the queue; `reason` is a code and `detail` the server's own sentence when it went wrong."""

    number: int
    file: ChosenFile
    name: str
    dataset: str
    state: State = State.WAITING
    attempts: int = 0
    photo_id: str = ""
    reason: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Totals:
    """Counts of photos, bytes that arrived, and seconds of work so far."""

    all: int
    created: int
    duplicate: int
    bad: int
    sent_bytes: int
    seconds: float

    @property
    def good(self) -> int:
        """Photos that are on the server."""
        return self.created + self.duplicate

    @property
    def finished(self) -> int:
        """Photos that need nothing more."""
        return self.good + self.bad


class Queue:
    """Uploads to one server. `on_change` is called after every change of an item, in the same task."""

    def __init__(
        self,
        api: Api,
        *,
        clock: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        on_change: Callable[[Item], None] = lambda _: None,
        most_bytes: int = MOST_BYTES,
    ) -> None:
        self._api = api
        self._clock, self._sleep = clock, sleep
        self._most_bytes = most_bytes
        self._pending: deque[int] = deque()
        self._began: float | None = None
        self._worked = 0.0
        self._work: asyncio.Task[None] | None = None
        self._reachable, self._allowed = asyncio.Event(), asyncio.Event()
        self._reachable.set()
        self._allowed.set()
        self.on_change = on_change
        self.items: dict[int, Item] = {}

    def add(self, files: Iterable[ChosenFile], dataset: str, *, name: Callable[[ChosenFile], str]) -> None:
        """Put files at the end and begin to work. Files that no server takes are refused at once."""
        for file in files:
            item = Item(len(self.items), file, name(file), dataset)
            self._set(item)
            if file.size > self._most_bytes:
                self._set(replace(item, state=State.REFUSED, reason="too_large"))
            elif file.size == 0:
                self._set(replace(item, state=State.REFUSED, reason="empty"))
            else:
                self._pending.append(item.number)
        self._begin()

    def retry(self) -> None:
        """Send again what failed; what was refused would be refused again."""
        for item in list(self.items.values()):
            if item.state is State.FAILED:
                self._set(replace(item, state=State.WAITING, attempts=0, reason="", detail=""))
                self._pending.append(item.number)
        self._begin()

    def clear(self) -> None:
        """Forget everything, when nothing is under way."""
        if not self.is_working:
            self.items.clear()
            self._worked = 0.0

    def allow(self, *, is_allowed: bool) -> None:
        """Go on, or hold what has not begun yet (no Wi-Fi)."""
        (self._allowed.set if is_allowed else self._allowed.clear)()

    async def stop(self) -> None:
        """End the work; photos under way are left as they are."""
        if self._work is not None:
            self._work.cancel()
            await asyncio.gather(self._work, return_exceptions=True)

    async def finish(self) -> None:
        """Wait until nothing is under way."""
        while self._work is not None and not self._work.done():
            await asyncio.wait([self._work])

    @property
    def is_working(self) -> bool:
        """Whether photos are under way or wait for their turn."""
        return self._work is not None and not self._work.done()

    @property
    def is_cut_off(self) -> bool:
        """Whether the work waits for the server to answer again."""
        return not self._reachable.is_set()

    @property
    def is_held(self) -> bool:
        """Whether the work waits for a permission."""
        return not self._allowed.is_set()

    @property
    def totals(self) -> Totals:
        """The counts as they are now."""
        states = [item.state for item in self.items.values()]
        sent = sum(item.file.size for item in self.items.values() if item.state in GOOD)
        running = self._clock() - self._began if self._began is not None else 0.0
        bad = sum(state in BAD for state in states)
        created, duplicate = states.count(State.CREATED), states.count(State.DUPLICATE)
        return Totals(len(states), created, duplicate, bad, sent, self._worked + running)

    def _begin(self) -> None:
        if self._pending and not self.is_working:
            self._began = self._clock()
            self._work = asyncio.ensure_future(self._run())

    async def _run(self) -> None:
        try:
            while self._pending:
                await self._round()
        finally:
            if self._began is not None:
                self._worked += self._clock() - self._began
            self._began = None

    async def _round(self) -> None:
        """Check group after group and send what is unknown, while the next group is checked."""
        ready: asyncio.Queue[int | None] = asyncio.Queue(GROUP)
        async with asyncio.TaskGroup() as senders:
            for _ in range(AT_ONCE):
                senders.create_task(self._send_from(ready))
            while self._pending:
                for number in await self._unknown(self._next_group()):
                    await ready.put(number)
            for _ in range(AT_ONCE):
                await ready.put(None)

    def _next_group(self) -> list[Item]:
        """Take photos of one dataset from the front."""
        group = [self.items[self._pending.popleft()]]
        while self._pending and len(group) < GROUP and self.items[self._pending[0]].dataset == group[0].dataset:
            group.append(self.items[self._pending.popleft()])
        return group

    async def _unknown(self, group: Sequence[Item]) -> list[int]:
        """Ask the server which photos of a group it holds; return the numbers of the others."""
        digests: dict[int, str] = {}
        for item in group:
            await self._allowed.wait()
            self._set(replace(item, state=State.CHECKING))
            digest = await self._digest(item)
            if digest is not None:
                digests[item.number] = digest
        known = await self._ask(group[0].dataset, digests)
        for number, digest in digests.items():
            if digest in known:
                self._succeed(self.items[number], known[digest])
        return [item.number for item in group if self.items[item.number].state not in GOOD]

    async def _digest(self, item: Item) -> str | None:
        try:
            return await self._api.transport.digest(item.file)
        except (OSError, Trouble):
            return None  # reading it again for sending will tell what is wrong

    async def _ask(self, dataset: str, digests: dict[int, str]) -> dict[str, Receipt]:
        if not digests:
            return {}
        try:
            return await self._api.known(dataset, sorted(set(digests.values())))
        except Trouble:
            return {}  # sending them finds out, too, at the cost of their bytes

    async def _send_from(self, ready: asyncio.Queue[int | None]) -> None:
        while (number := await ready.get()) is not None:
            while await self._send(number):
                pass

    async def _send(self, number: int) -> bool:
        """Send a photo once; return whether it has to be sent again."""
        await self._allowed.wait()
        await self._reachable.wait()
        item = replace(self.items[number], state=State.SENDING, attempts=self.items[number].attempts + 1)
        self._set(item)
        try:
            self._succeed(item, await self._api.put(item.dataset, item.name, item.file))
        except Unreachable as exc:
            return await self._lost(item, exc)
        except Refused as exc:
            return await self._refused(item, exc)
        except NotAlbumen as exc:
            self._set(replace(item, state=State.FAILED, reason=exc.code))
        except OSError as exc:
            self._set(replace(item, state=State.FAILED, reason="unreadable", detail=str(exc)))
        return False

    async def _lost(self, item: Item, exc: Unreachable) -> bool:
        """Wait until the server answers. A photo that never gets through while it does is itself to blame."""
        if self._reachable.is_set():
            self._reachable.clear()
            self._set(replace(item, state=State.WAITING))
            was_away = await self._wait_for_server()
            self._reachable.set()
        else:
            self._set(replace(item, state=State.WAITING))
            await self._reachable.wait()
            was_away = True
        if was_away:
            self._set(replace(self.items[item.number], attempts=0))
        elif item.attempts >= MOST_ATTEMPTS:
            self._set(replace(item, state=State.FAILED, reason=exc.code))
            return False
        return True

    async def _wait_for_server(self) -> bool:
        """Return once the server answers: whether it was away at all."""
        pause, was_away = FIRST_PAUSE, False
        while True:
            try:
                if await self._api.is_alive():
                    return was_away
            except Trouble:
                pass
            was_away = True
            await self._sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)

    async def _refused(self, item: Item, exc: Refused) -> bool:
        if exc.status in BUSY and item.attempts < MOST_ATTEMPTS:
            await self._sleep(exc.retry_after or FIRST_PAUSE * 2**item.attempts)
            return True
        state = State.FAILED if exc.is_passing or exc.is_about_access else State.REFUSED
        self._set(replace(item, state=state, reason=exc.code, detail=exc.detail))
        return False

    def _succeed(self, item: Item, receipt: Receipt) -> None:
        state = State.CREATED if receipt.is_new else State.DUPLICATE
        self._set(replace(item, state=state, photo_id=receipt.id, reason="", detail=""))

    def _set(self, item: Item) -> None:
        self.items[item.number] = item
        self.on_change(item)
