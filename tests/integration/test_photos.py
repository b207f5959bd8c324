"""Photos that are in: finding, listing, renaming, the trash, and the totals that go with it."""

import pytest

import pictures
from albumen.errors import AlreadyInDataset, DatasetExists, DatasetNotFound, InvalidParameter, PhotoNotFound
from albumen.services.listing import MOST_PER_PAGE, Listing
from batches import stored, upload, upload_one

UNKNOWN = "01970000-0000-7000-8000-000000000000"


def add(services, *names, dataset="main"):
    """Upload a photo of its own for each name; return what was accepted."""
    sent = [(name, pictures.of_size(2000, seed=number)) for number, name in enumerate(names)]
    return [outcome.accepted for outcome in upload(services, sent, dataset)]


def names(services, **listing):
    return [item.photo.name for item in services.photos.page(Listing(**listing)).photos]


def totals(services, slug="main"):
    dataset = services.datasets.get(slug)
    return dataset.photos, dataset.bytes


def test_photo_is_found_by_its_id_and_by_its_name(services):
    (accepted,) = add(services, "Дача.jpg")
    assert services.photos.find(accepted.id) == services.photos.find("Дача.jpg") == services.photos.get(accepted.id)


def test_name_finds_the_newest_photo_of_exactly_that_name(services):
    add(services, "a.jpg")
    (newest,) = add(services, "a.jpg", dataset="other")
    add(services, "A.jpg", dataset="third")
    assert services.photos.find("a.jpg").id == newest.id


def test_name_that_looks_like_a_path_is_found_as_it_was_cleaned(services):
    (accepted,) = add(services, "../../etc/passwd.jpg")
    assert services.photos.find("../../etc/passwd.jpg").id == accepted.id
    assert services.photos.find("passwd.jpg").id == accepted.id


def test_long_name_is_found_as_it_was_cut(services):
    (accepted,) = add(services, "x" * 254 + " " + "y" * 50)
    assert services.photos.find(services.photos.get(accepted.id).name).id == accepted.id


@pytest.mark.parametrize("wanted", [UNKNOWN, "nothing.jpg", "", "../..", "\x00"])
def test_unknown_photo_is_told_as_such(services, wanted):
    add(services, "a.jpg")
    with pytest.raises(PhotoNotFound):
        services.photos.find(wanted)
    with pytest.raises(PhotoNotFound):
        services.photos.details(wanted)


def test_cursors_lead_through_every_photo_once(services):
    add(services, *(f"{number}.jpg" for number in range(7)))
    seen, cursor = [], None
    while True:
        page = services.photos.page(Listing(limit=3, cursor=cursor))
        seen.append([item.photo.name for item in page.photos])
        if page.next is None:
            break
        cursor = page.next
    assert seen == [["6.jpg", "5.jpg", "4.jpg"], ["3.jpg", "2.jpg", "1.jpg"], ["0.jpg"]]


def test_page_that_ends_with_the_last_photo_has_no_next(services):
    add(services, "a.jpg", "b.jpg")
    assert services.photos.page(Listing(limit=2)).next is None


def test_photos_that_come_in_meanwhile_do_not_shift_the_pages(services):
    add(services, "a.jpg", "b.jpg", "c.jpg")
    first = services.photos.page(Listing(limit=1))
    add(services, "new.jpg", dataset="other")
    assert names(services, limit=2, cursor=first.next) == ["b.jpg", "a.jpg"]


@pytest.mark.parametrize("limit", [0, -1, MOST_PER_PAGE + 1])
def test_limit_out_of_range_is_refused(services, limit):
    with pytest.raises(InvalidParameter, match="limit"):
        services.photos.page(Listing(limit=limit))
    with pytest.raises(InvalidParameter, match="limit"):
        services.photos.references(Listing(limit=limit))


@pytest.mark.parametrize("cursor", ["", "1", "' OR 1=1", UNKNOWN.replace("7000", "4000")])
def test_cursor_of_another_form_is_refused(services, cursor):
    with pytest.raises(InvalidParameter, match="cursor"):
        services.photos.page(Listing(cursor=cursor))


def test_page_of_an_unknown_dataset_is_refused(services):
    with pytest.raises(DatasetNotFound):
        services.photos.page(Listing(dataset="none"))


def test_all_references_come_newest_first_whatever_the_step(services, monkeypatch):
    monkeypatch.setattr("albumen.services.photos.STREAM_STEP", 2)
    add(services, *(f"{number}.jpg" for number in range(5)))
    steps = [[reference.name for reference in step] for step in services.photos.all_references()]
    assert steps == [["4.jpg", "3.jpg"], ["2.jpg", "1.jpg"], ["0.jpg"]]


def test_more_digests_than_allowed_are_refused(services):
    with pytest.raises(InvalidParameter, match="10,000"):
        services.photos.known("main", ["0" * 64] * 10_001)


def test_new_name_is_cleaned_and_seen_at_once(services):
    (accepted,) = add(services, "old.jpg")
    services.photos.get(accepted.id)
    assert services.photos.rename(accepted.id, "folder/Новое имя.jpg\n").photo.name == "Новое имя.jpg"
    assert services.photos.get(accepted.id).name == "Новое имя.jpg"
    assert names(services, name="ИМЯ") == ["Новое имя.jpg"]
    with pytest.raises(PhotoNotFound):
        services.photos.find("old.jpg")


def test_deleted_photo_is_in_the_trash_alone_and_its_bytes_stay(services):
    gone, kept = add(services, "gone.jpg", "kept.jpg")
    services.photos.get(gone.id)
    services.photos.delete(gone.id)
    assert (names(services), names(services, trash=True)) == (["kept.jpg"], ["gone.jpg"])
    for look in (services.photos.get, services.photos.find, services.photos.details, services.photos.delete):
        with pytest.raises(PhotoNotFound):
            look(gone.id)
    assert stored(services, gone)
    assert services.photos.get(kept.id)


def test_restored_photo_is_back_with_its_id_and_its_totals(services):
    (accepted,) = add(services, "a.jpg")
    before = totals(services)
    services.photos.delete(accepted.id)
    assert totals(services) == (0, 0)
    assert services.datasets.days() == []
    services.photos.restore(accepted.id)
    assert totals(services) == before
    assert services.photos.get(accepted.id).deleted_at is None


def test_photo_that_is_not_in_the_trash_cannot_be_restored(services):
    (accepted,) = add(services, "a.jpg")
    for photo_id in (accepted.id, UNKNOWN):
        with pytest.raises(PhotoNotFound):
            services.photos.restore(photo_id)
    assert totals(services)[0] == 1


def test_photo_that_came_again_meanwhile_is_named_instead_of_restored(services):
    first = upload_one(services, pictures.jpeg())
    services.photos.delete(first.id)
    again = upload_one(services, pictures.jpeg())
    with pytest.raises(AlreadyInDataset) as refused:
        services.photos.restore(first.id)
    assert refused.value.members == {"id": again.id}
    assert totals(services)[0] == 1


def test_dataset_gets_a_slug_from_its_name(services):
    assert services.datasets.create("Field day, 2026!").slug == "field-day-2026"
    with pytest.raises(DatasetExists, match="field-day-2026"):
        services.datasets.create("Field Day 2026")
    assert services.datasets.create("Дача").slug == "dacha"
    with pytest.raises(InvalidParameter):
        services.datasets.create("東京")
    assert services.datasets.create("東京", "tokyo").name == "東京"


@pytest.mark.parametrize("name", ["", "  ", "x" * 201])
def test_dataset_needs_a_name_of_reasonable_length(services, name):
    with pytest.raises(InvalidParameter, match="name"):
        services.datasets.create(name, "slug")
