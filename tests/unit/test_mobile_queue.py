"""The upload queue of the mobile client: states, counts, refusals, repeated photos, lost connections."""

from __future__ import annotations

import asyncio
import itertools

import pytest

from albumen_mobile.core.api import Api
from albumen_mobile.core.queue import AT_ONCE, Queue, State
from albumen_mobile.core.troubles import Unreachable
from lines import Line, MemoryFile, refusal
from loops import finished


def photo(number):
    return MemoryFile(f"IMG_{number}.jpg", b"photo %d" % number)


def run(line, files, *, after=None, **options):
    """Upload files to the dataset `cats`; `after` is called with the queue once nothing is under way."""

    async def work():
        ticks = itertools.count()

        async def sleep(_):
            await asyncio.sleep(0)
            if next(ticks) > 2:
                line.is_cut = False

        queue = Queue(Api(line), clock=lambda: float(next(ticks)), sleep=sleep, **options)
        queue.add(files, "cats", name=lambda file: file.name)
        await queue.finish()
        if after is not None:
            await after(queue)
        return queue

    return finished(work())


def states(queue):
    return [queue.items[number].state for number in sorted(queue.items)]


def test_every_photo_arrives_and_carries_its_id():
    line = Line()
    queue = run(line, [photo(number) for number in range(120)])
    assert set(states(queue)) == {State.CREATED}
    assert {item.photo_id for item in queue.items.values()} == set(line.kept.values())
    assert (queue.totals.all, queue.totals.good, queue.totals.bad) == (120, 120, 0)
    assert queue.totals.seconds > 0


def test_only_some_photos_are_under_way_at_once():
    line = Line()
    run(line, [photo(number) for number in range(50)])
    assert 1 < line.most_at_once <= AT_ONCE


def test_photos_that_the_server_knows_are_not_sent():
    line = Line()
    run(line, [photo(1), photo(2)])
    line.sent.clear()
    queue = run(line, [photo(2), photo(3), photo(1)])
    assert line.sent == ["IMG_3.jpg"]
    assert states(queue) == [State.DUPLICATE, State.CREATED, State.DUPLICATE]
    assert (queue.totals.created, queue.totals.duplicate, queue.totals.good) == (1, 2, 3)


def test_without_digests_photos_are_sent_and_the_server_finds_the_known_ones():
    line = Line(hashes=False)
    run(line, [photo(1)])
    queue = run(line, [photo(1), photo(2)])
    assert states(queue) == [State.DUPLICATE, State.CREATED]
    assert not [request for request in line.requests if request.path.endswith("known")]


def test_a_refused_photo_spoils_no_other_and_is_not_sent_again():
    line = Line(refusals={"IMG_1.jpg": [refusal(415, "not_a_photo")]})

    async def retry(queue):
        queue.retry()
        await queue.finish()

    queue = run(line, [photo(0), photo(1), photo(2)], after=retry)
    assert states(queue) == [State.CREATED, State.REFUSED, State.CREATED]
    assert (queue.items[1].reason, queue.items[1].detail) == ("not_a_photo", "about not_a_photo")
    assert line.sent.count("IMG_1.jpg") == 1


def test_what_failed_is_sent_again_when_the_person_says_so_and_nothing_else():
    line = Line(refusals={"IMG_1.jpg": [refusal(507, "storage_full")]})
    seen = []

    async def retry(queue):
        seen.extend(states(queue))
        line.sent.clear()
        queue.retry()
        await queue.finish()

    queue = run(line, [photo(0), photo(1)], after=retry)
    assert seen == [State.CREATED, State.FAILED]
    assert states(queue) == [State.CREATED, State.CREATED]
    assert line.sent == ["IMG_1.jpg"]


def test_a_busy_server_is_asked_again_by_itself():
    line = Line(refusals={"IMG_0.jpg": [refusal(503, "busy", **{"retry-after": "1"})] * 2})
    queue = run(line, [photo(0)])
    assert states(queue) == [State.CREATED]


@pytest.mark.parametrize("hashes", [True, False])
def test_after_a_lost_connection_the_rest_arrives_by_itself(hashes):
    line = Line(hashes=hashes, cut_after=7)
    cut = []
    queue = run(line, [photo(number) for number in range(40)], on_change=lambda _: cut.append(line.is_cut))
    assert True in cut
    assert set(states(queue)) == {State.CREATED}
    assert not queue.is_cut_off


def test_a_photo_that_never_gets_through_while_the_server_answers_fails_alone():
    class Torn(Line):
        async def put_file(self, path, query, file):
            if query["name"] == "IMG_1.jpg":
                raise Unreachable
            return await super().put_file(path, query, file)

    queue = run(Torn(), [photo(0), photo(1), photo(2)])
    assert states(queue) == [State.CREATED, State.FAILED, State.CREATED]
    assert queue.items[1].reason == "unreachable"


def test_files_that_no_server_takes_are_refused_before_anything_is_sent():
    line = Line()
    queue = run(line, [MemoryFile("large.jpg", bytes(101)), MemoryFile("void.jpg", b""), photo(1)], most_bytes=100)
    assert [(item.state, item.reason) for item in queue.items.values()][:2] == [
        (State.REFUSED, "too_large"),
        (State.REFUSED, "empty"),
    ]
    assert line.sent == ["IMG_1.jpg"]


def test_nothing_is_sent_until_it_is_allowed():
    line = Line()

    async def work():
        queue = Queue(Api(line), clock=lambda: 0.0)
        queue.allow(is_allowed=False)
        queue.add([photo(1)], "cats", name=lambda file: file.name)
        for _ in range(20):
            await asyncio.sleep(0)
        held = (queue.is_held, list(line.sent))
        queue.allow(is_allowed=True)
        await queue.finish()
        return held

    assert finished(work()) == (True, [])
    assert line.sent == ["IMG_1.jpg"]


def test_a_queue_that_works_takes_more_photos():
    line = Line()

    async def work():
        queue = Queue(Api(line), clock=lambda: 0.0)
        queue.add([photo(1)], "cats", name=lambda file: file.name)
        await asyncio.sleep(0)
        queue.add([photo(2)], "dogs", name=lambda _: "renamed.jpg")
        await queue.finish()
        return states(queue)

    assert finished(work()) == [State.CREATED, State.CREATED]
    assert sorted(line.sent) == ["IMG_1.jpg", "renamed.jpg"]
