"""The timeline over HTTP: counts by day, spans of time, and marks to jump by."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from albumen.repository.datasets import DatasetRepository
from albumen.repository.timeline import TimelineRepository
from albumen.services.listing import Listing
from albumen.services.timeline import Timeline
from engines import Shelf
from forms import problem

FRIDAY = datetime(2026, 11, 20, 18, tzinfo=UTC)
MONDAY = datetime(2026, 11, 23, 0, 0, 0, 1000, tzinfo=UTC)


@pytest.fixture
def shelf(services):
    """Photos of chosen moments on the server that `client` asks."""
    return Shelf(services.database)


def get(client, path, **query):
    answer = client.get(f"/api/v1/{path}", query_string=query)
    assert answer.status_code == 200, answer.data
    return answer.get_json()


def ids(photos):
    """Return the ids of photos, newest first."""
    return [photo.id for photo in photos][::-1]


def listed(client, **query):
    return [photo["id"] for photo in get(client, "photos", **query)["photos"]]


def days(client, **query):
    return [(day["day"], day["photos"]) for day in get(client, "timeline", **query)["days"]]


def test_an_empty_server_has_an_empty_timeline(client):
    assert get(client, "timeline") == {"photos": 0, "days": []}


def test_the_timeline_counts_photos_and_bytes_by_day_newest_first(client, shelf):
    friday, monday = shelf.uploaded(FRIDAY, 3), shelf.uploaded(MONDAY, 2, "other")
    size = [sum(photo.blob.bytes for photo in photos) for photos in (friday, monday)]
    whole = get(client, "timeline")
    assert whole["photos"] == 5
    assert whole["days"] == [
        {"day": "2026-11-23", "photos": 2, "bytes": size[1]},
        {"day": "2026-11-20", "photos": 3, "bytes": size[0]},
    ]
    assert days(client, dataset="main") == [("2026-11-20", 3)]


def test_the_timeline_of_a_search_counts_what_the_list_of_it_has(client, shelf):
    shelf.uploaded(FRIDAY, 3, name="Мишка")
    shelf.uploaded(MONDAY, 2, "other", name="мишка")
    shelf.uploaded(MONDAY, 4, name="dog")
    assert days(client, name="МИШКА") == [("2026-11-23", 2), ("2026-11-20", 3)]
    assert days(client, name="мишка", dataset="other") == [("2026-11-23", 2)]
    assert len(listed(client, name="мишка", dataset="other")) == 2
    assert get(client, "timeline", name="мишка")["days"][0]["bytes"] is None


def test_trashed_photos_move_to_the_timeline_of_the_trash(client, shelf):
    photo, *_ = shelf.uploaded(FRIDAY, 3)
    client.delete(f"/api/v1/photos/{photo.id}")
    assert (days(client), days(client, trash="true")) == ([("2026-11-20", 2)], [("2026-11-20", 1)])
    client.post(f"/api/v1/photos/{photo.id}/restore")
    assert (days(client), days(client, trash="true")) == ([("2026-11-20", 3)], [])


@pytest.mark.parametrize("path", ["photos", "timeline", "timeline/marks"])
def test_a_dataset_that_is_not_there_has_no_timeline(client, path):
    problem(client.get(f"/api/v1/{path}?dataset=none"), 404, "dataset_not_found")


def test_a_list_can_begin_before_a_day_and_go_on_from_there(client, shelf):
    friday = ids(shelf.uploaded(FRIDAY, 3))
    monday = ids(shelf.uploaded(MONDAY, 2))
    assert listed(client, before="2026-11-24") == monday + friday
    assert listed(client, before="2026-11-23") == friday
    assert listed(client, before="2026-11-20") == []
    page = get(client, "photos", before="2026-11-23", limit=2)
    assert listed(client, before="2026-11-23", cursor=page["next"]) == friday[2:]
    assert listed(client, before="2026-11-23", cursor=monday[0]) == friday


def test_a_day_is_the_span_between_two_days(client, shelf):
    friday = ids(shelf.uploaded(FRIDAY, 3))
    shelf.uploaded(MONDAY, 2)
    assert listed(client, since="2026-11-20", before="2026-11-21") == friday
    assert listed(client, since="2026-11-21", before="2026-11-23") == []


def test_a_span_is_exact_to_the_millisecond_in_any_zone(client, shelf):
    (photo,) = ids(shelf.uploaded(MONDAY))
    at, after = "2026-11-23T03:00:00.001+03:00", "2026-11-23T03:00:00.002+03:00"
    assert listed(client, since=at, before=after) == [photo]
    assert listed(client, since=after) == listed(client, before=at) == []


@pytest.mark.parametrize("parameter", ["since", "before"])
@pytest.mark.parametrize("value", ["yesterday", "2026-13-01", "2026-11-23T10:00:00", "1", "2026-11-23%00"])
def test_a_span_that_is_no_time_is_refused(client, parameter, value):
    assert (
        problem(client.get(f"/api/v1/photos?{parameter}={value}"), 400, "invalid_parameter")["parameter"] == parameter
    )


def test_marks_lie_evenly_in_one_crowded_day(client, shelf):
    crowd = ids(shelf.uploaded(MONDAY, 1050))
    shelf.uploaded(FRIDAY, 300)
    found = get(client, "timeline/marks", since="2026-11-23", before="2026-11-24", every=100)
    assert found == {"every": 100, "marks": crowd[99::100], "next": None}
    assert listed(client, cursor=found["marks"][8], limit=10) == crowd[900:910]


@pytest.mark.parametrize("query", [{"dataset": "main"}, {"name": "here"}, {"dataset": "main", "name": "here"}])
def test_marks_go_by_the_list_that_is_asked_for(client, shelf, query):
    here = ids(shelf.uploaded(FRIDAY, 250, name="here"))
    shelf.uploaded(FRIDAY + timedelta(hours=1), 250, "other", "away")
    assert get(client, "timeline/marks", every=100, **query)["marks"] == here[99::100]


def test_marks_go_on_from_a_cursor_where_one_answer_ends(services, shelf):
    photos = ids(shelf.uploaded(FRIDAY, 1000))
    timeline = Timeline(services.database, DatasetRepository(), TimelineRepository(), most_read=450)
    answers = [timeline.marks(Listing(), 100)]
    while answers[-1].next:
        answers.append(timeline.marks(Listing(cursor=answers[-1].next), 100))
    assert [len(answer.marks) for answer in answers] == [4, 4, 2]
    assert [mark for answer in answers for mark in answer.marks] == photos[99::100]


@pytest.mark.parametrize("every", ["0", "99", "10001", "-100", "x", ""])
def test_a_distance_that_is_not_allowed_is_refused(client, every):
    body = problem(client.get(f"/api/v1/timeline/marks?every={every}"), 400, "invalid_parameter")
    assert body["parameter"] == "every"
