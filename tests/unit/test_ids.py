"""Ids of photos: their form (RFC 9562), their order, and that nobody can guess the next one."""

import itertools
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from albumen.domain.ids import MOST_AHEAD_MS, PhotoIds, first_id_at, is_photo_id

NOON_MS = 1_790_000_000_000


def test_id_is_a_version_7_uuid_in_36_characters():
    text = PhotoIds().next()
    parsed = uuid.UUID(text)
    assert len(text) == 36
    assert text == str(parsed)
    assert (parsed.version, parsed.variant) == (7, uuid.RFC_4122)


def test_id_begins_with_the_time_of_the_clock():
    assert uuid.UUID(PhotoIds(lambda: NOON_MS).next()).int >> 80 == NOON_MS


def test_every_id_is_one_of_ours():
    source = PhotoIds()
    assert all(is_photo_id(source.next()) for _ in range(1000))


def test_ids_of_one_millisecond_grow():
    source = PhotoIds(lambda: NOON_MS)
    made = [source.next() for _ in range(5000)]
    assert made == sorted(set(made))
    assert uuid.UUID(made[-1]).int >> 80 == NOON_MS


def test_ids_taken_together_grow_and_go_on_from_those_before():
    source = PhotoIds(lambda: NOON_MS)
    made = [source.next(), *source.take(500), source.next()]
    assert made == sorted(set(made))
    assert all(is_photo_id(photo_id) for photo_id in made)
    assert source.take(0) == []


def test_ids_grow_when_the_clock_jumps_back():
    ticks = itertools.chain([NOON_MS, NOON_MS + 5, NOON_MS - 86_400_000, 0], itertools.repeat(NOON_MS - 1))
    source = PhotoIds(lambda: next(ticks))
    made = [source.next() for _ in range(50)]
    assert made == sorted(set(made))


def test_ids_sort_after_one_of_another_source_whose_clock_is_ahead():
    behind = PhotoIds(lambda: NOON_MS)
    for ahead_ms in (0, 1, 5_000, MOST_AHEAD_MS):
        theirs = PhotoIds(lambda ahead_ms=ahead_ms: NOON_MS + ahead_ms).next()
        behind.follow(theirs)
        made = [theirs, *(behind.next() for _ in range(50))]
        assert made == sorted(set(made))


def test_one_id_of_a_clock_that_was_wrong_by_days_does_not_drag_the_others_along():
    source = PhotoIds(lambda: NOON_MS)
    source.follow(PhotoIds(lambda: NOON_MS + MOST_AHEAD_MS + 1).next())
    assert uuid.UUID(source.next()).int >> 80 == NOON_MS


def test_following_an_older_id_changes_nothing():
    source = PhotoIds(lambda: NOON_MS)
    older, newer = PhotoIds(lambda: NOON_MS - 10).next(), source.next()
    source.follow(older)
    assert source.next() > newer


def test_ids_follow_the_clock_again_once_it_has_caught_up():
    ticks = iter([NOON_MS, NOON_MS - 1000, NOON_MS + 1])
    source = PhotoIds(lambda: next(ticks))
    assert [uuid.UUID(source.next()).int >> 80 for _ in range(3)] == [NOON_MS, NOON_MS, NOON_MS + 1]


def test_steps_within_one_millisecond_cannot_be_guessed():
    source = PhotoIds(lambda: NOON_MS)
    made = [uuid.UUID(source.next()).int for _ in range(200)]
    steps = {later - earlier for earlier, later in itertools.pairwise(made)}
    assert len(steps) == 199
    assert max(steps) > 1 << 40


def test_two_sources_never_give_the_same_id():
    first, second = PhotoIds(lambda: NOON_MS), PhotoIds(lambda: NOON_MS)
    assert {first.next() for _ in range(500)}.isdisjoint({second.next() for _ in range(500)})


def test_threads_get_different_ids_each_in_order():
    source = PhotoIds()
    with ThreadPoolExecutor(8) as pool:
        runs = list(pool.map(lambda _: [source.next() for _ in range(500)], range(8)))
    assert all(run == sorted(run) for run in runs)
    assert len({text for run in runs for text in run}) == 8 * 500


@pytest.mark.parametrize(
    "text",
    [
        "",
        "photo.jpg",
        "01970000-0000-4000-8000-000000000000",  # another version
        "01970000-0000-7000-c000-000000000000",  # another variant
        "01970000-0000-7000-8000-00000000000",  # too short
        "01970000-0000-7000-8000-0000000000000",  # too long
        "01970000000070008000000000000000",  # without hyphens
        "01970000-0000-7000-8000-00000000000A",  # upper case
        "01970000-0000-7000-8000-000000000000\n",
        "{01970000-0000-7000-8000-000000000000}",
        "0197000\u0660-0000-7000-8000-000000000000",  # a digit, but an Arabic one
    ],
)
def test_other_texts_are_no_ids(text):
    assert not is_photo_id(text)


def test_first_id_of_a_moment_parts_the_ids_made_before_from_those_made_since():
    moment = datetime(2026, 11, 23, 10, tzinfo=UTC)
    milliseconds = int(moment.timestamp() * 1000)
    first = first_id_at(moment)
    assert PhotoIds(lambda: milliseconds - 1).next() < first <= PhotoIds(lambda: milliseconds).next()
    assert first == first_id_at(moment + timedelta(microseconds=999))
    assert is_photo_id(first)


@pytest.mark.parametrize("year", [1, 1969, 9999])
def test_every_moment_of_the_calendar_has_a_first_id(year):
    assert is_photo_id(first_id_at(datetime(year, 1, 1, tzinfo=UTC)))
