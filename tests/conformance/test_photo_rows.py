"""Photos, their pages and the trash, on every engine."""

from datetime import timedelta

import pytest

from albumen.errors import AlbumenError
from albumen.repository.listing import PageQuery
from albumen.repository.photos import PhotoRepository
from albumen.repository.trash import TrashRepository
from engines import NOW, make_blob

PHOTOS, TRASH = PhotoRepository(), TrashRepository()


def page(shelf, **query):
    """Return the names on a page."""
    with shelf.database.reading() as tx:
        return [listed.photo.name for listed in PHOTOS.page(tx, PageQuery(**{"limit": 100, **query}))]


def trash(shelf, photo, at=NOW):
    with shelf.database.writing() as tx:
        return TRASH.delete(tx, [photo.id], at)


def restore(shelf, photo):
    with shelf.database.writing() as tx:
        return TRASH.restore(tx, [photo.id])


def trashed_at(shelf):
    with shelf.database.reading() as tx:
        return [listed.photo.deleted_at for listed in PHOTOS.page(tx, PageQuery(100, trash=True))]


def find(shelf, photo):
    with shelf.database.reading() as tx:
        return PHOTOS.find(tx, photo.id)


def test_photo_comes_back_as_it_was_put(shelf):
    new = shelf.photo("Дача.jpg", "summer")
    found = find(shelf, new).photo
    assert (found.id, found.name, found.link, found.blob) == (new.id, new.name, new.link, new.blob)
    assert (found.dataset, found.uploaded_at, found.deleted_at) == ("summer", NOW, None)


def test_large_photo_keeps_its_size(shelf):
    blob = make_blob(1)
    large = type(blob)(blob.sha256, 5_000_000_000, blob.header)
    assert find(shelf, shelf.photo(blob=large)).photo.blob.bytes == 5_000_000_000


def test_unknown_id_finds_nothing(shelf):
    shelf.photo()
    with shelf.database.reading() as tx:
        assert PHOTOS.find(tx, "01970000-0000-7000-8000-ffffffffffff") is None


def test_name_finds_its_newest_photo(shelf):
    shelf.photo("a.jpg")
    newest = shelf.photo("a.jpg", "other")
    shelf.photo("A.jpg")
    with shelf.database.reading() as tx:
        assert PHOTOS.find_by_name(tx, "a.jpg").photo.id == newest.id
        assert PHOTOS.find_by_name(tx, "b.jpg") is None


def test_name_never_finds_what_is_in_the_trash(shelf):
    kept = shelf.photo("a.jpg")
    trash(shelf, shelf.photo("a.jpg"))
    with shelf.database.reading() as tx:
        assert PHOTOS.find_by_name(tx, "a.jpg").photo.id == kept.id


def test_equal_photo_is_in_a_dataset_once(shelf):
    shelf.photo(blob=make_blob(1))
    with pytest.raises(AlbumenError):
        shelf.photo(blob=make_blob(1))
    assert len(page(shelf)) == 1


def test_equal_photo_may_be_in_two_datasets_and_in_the_trash(shelf):
    first = shelf.photo("first.jpg", blob=make_blob(1))
    trash(shelf, first)
    shelf.photo("again.jpg", blob=make_blob(1))
    shelf.photo("elsewhere.jpg", "other", make_blob(1))
    assert page(shelf) == ["elsewhere.jpg", "again.jpg"]
    with pytest.raises(AlbumenError):
        restore(shelf, first)


def test_known_digests_are_those_of_the_dataset_outside_the_trash(shelf):
    here = shelf.photo(blob=make_blob(1))
    shelf.photo(dataset="other", blob=make_blob(2))
    trash(shelf, shelf.photo(blob=make_blob(3)))
    digests = [make_blob(number).sha256 for number in range(5)]
    with shelf.database.reading() as tx:
        known = PHOTOS.known(tx, "main", digests)
        assert PHOTOS.known(tx, "unknown", digests) == {}
        assert PHOTOS.known(tx, "main", []) == {}
    assert {sha256: photo.id for sha256, photo in known.items()} == {digests[1]: here.id}


def test_ten_thousand_digests_can_be_asked_for(shelf):
    shelf.photo(blob=make_blob(7))
    with shelf.database.reading() as tx:
        assert len(PHOTOS.known(tx, "main", [make_blob(number).sha256 for number in range(10_000)])) == 1


def test_pages_go_from_the_newest_to_the_oldest_without_gaps(shelf):
    names = [f"{number}.jpg" for number in range(7)]
    photos = shelf.photos(names)
    assert page(shelf, limit=3) == ["6.jpg", "5.jpg", "4.jpg"]
    assert page(shelf, limit=3, cursor=photos[4].id) == ["3.jpg", "2.jpg", "1.jpg"]
    assert page(shelf, limit=3, cursor=photos[1].id) == ["0.jpg"]
    assert page(shelf, cursor=photos[0].id) == []


def test_page_of_a_dataset_has_its_photos_alone(shelf):
    shelf.photo("here.jpg", "a")
    shelf.photo("there.jpg", "b")
    assert page(shelf, dataset_id=shelf.dataset("a")) == ["here.jpg"]
    assert page(shelf, dataset_id=shelf.dataset("empty")) == []


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("img", ["IMG_2.JPG", "img_1.jpg"]),
        ("IMG_1", ["img_1.jpg"]),
        ("ДАЧ", ["Дача 100%.jpg"]),
        ("100%", ["Дача 100%.jpg"]),
        ("%", ["Дача 100%.jpg"]),
        ("_", ["IMG_2.JPG", "img_1.jpg"]),
        ("!", ["wow!.jpg"]),
        (".jpg", ["Дача 100%.jpg", "wow!.jpg", "IMG_2.JPG", "img_1.jpg"]),
        ("'; DROP TABLE photo; --", []),
    ],
)
def test_page_by_name_has_the_names_that_contain_it_in_any_case(shelf, wanted, found):
    shelf.photos(["img_1.jpg", "IMG_2.JPG", "wow!.jpg", "Дача 100%.jpg"])
    assert page(shelf, name=wanted) == found


def test_search_for_what_nearly_fits_everywhere_in_many_long_names_takes_little(shelf):
    longest = "\u2057" * 251  # four characters each, once it is folded
    shelf.photos([f"{longest}{number:04}" for number in range(2_000)])
    assert page(shelf, name="\u2057" * 100 + "x") == []
    assert page(shelf, name="\u2057" * 100 + "1999") == [f"{longest}1999"]


def test_all_conditions_of_a_page_hold_together(shelf):
    trashed = shelf.photo("cat 1.jpg", "a")
    trash(shelf, trashed)
    older = shelf.photo("cat 2.jpg", "a")
    shelf.photos(["dog.jpg", "cat 3.jpg"], "a")
    shelf.photo("cat 4.jpg", "b")
    number = shelf.dataset("a")
    assert page(shelf, dataset_id=number, name="cat") == ["cat 3.jpg", "cat 2.jpg"]
    assert page(shelf, dataset_id=number, name="cat", cursor=older.id) == []
    assert page(shelf, dataset_id=number, name="cat", trash=True) == ["cat 1.jpg"]


def test_references_page_like_photos(shelf):
    photos = shelf.photos(["a.jpg", "b.jpg", "c.jpg"])
    trash(shelf, photos[1])
    with shelf.database.reading() as tx:
        assert [reference.name for reference in PHOTOS.references(tx, PageQuery(10))] == ["c.jpg", "a.jpg"]
        (reference,) = PHOTOS.references(tx, PageQuery(10, photos[2].id))
    assert (reference.id, reference.link) == (photos[0].id, photos[0].link)


def test_trashed_photo_moves_from_one_list_to_the_other_and_back(shelf):
    photo = shelf.photo("a.jpg")
    assert trash(shelf, photo)
    assert (page(shelf), page(shelf, trash=True)) == ([], ["a.jpg"])
    assert find(shelf, photo) is None
    assert trashed_at(shelf) == [NOW]
    assert restore(shelf, photo)
    assert (page(shelf), page(shelf, trash=True)) == (["a.jpg"], [])
    assert find(shelf, photo).photo.deleted_at is None


def test_what_is_done_already_is_not_done_again(shelf):
    photo = shelf.photo()
    assert not restore(shelf, photo)
    trash(shelf, photo)
    assert not trash(shelf, photo, NOW + timedelta(days=1))
    assert trashed_at(shelf) == [NOW]


def test_many_photos_move_at_once_and_those_that_are_elsewhere_stay(shelf):
    photos = shelf.photos(["a", "b", "c"])
    some = [photo.id for photo in photos[:2]]
    with shelf.database.writing() as tx:
        assert [moved.id for moved in TRASH.live(tx, [*some, "unknown"])] == some[::-1]
        assert TRASH.delete(tx, [*some, "unknown"], NOW) == 2
        assert TRASH.live(tx, some) == []
        assert [(moved.id, moved.bytes, moved.uploaded_at) for moved in TRASH.trashed(tx, some[:1])] == [
            (photos[0].id, photos[0].blob.bytes, NOW)
        ]
        assert TRASH.restore(tx, [photo.id for photo in photos]) == 2
        assert TRASH.trashed(tx, some) == TRASH.live(tx, []) == []


def test_twin_of_a_photo_in_the_trash_is_the_one_of_its_dataset(shelf):
    first, elsewhere = shelf.photo(blob=make_blob(1)), shelf.photo(dataset="other", blob=make_blob(1))
    trash(shelf, first)
    with shelf.database.reading() as tx:
        assert TRASH.twins(tx, [first.id, elsewhere.id]) == {}
    twin = shelf.photo(blob=make_blob(1))
    with shelf.database.reading() as tx:
        assert TRASH.twins(tx, [first.id, elsewhere.id, twin.id]) == {first.id: twin.id}


def test_renamed_photo_is_found_by_its_new_name_alone(shelf):
    photo = shelf.photo("old.jpg")
    with shelf.database.writing() as tx:
        assert PHOTOS.rename(tx, photo.id, "Дача.jpg")
        assert not PHOTOS.rename(tx, "unknown", "x")
    assert page(shelf, name="ДАЧ") == ["Дача.jpg"]
    assert page(shelf, name="old") == []


def test_photo_in_the_trash_cannot_be_renamed(shelf):
    photo = shelf.photo()
    trash(shelf, photo)
    with shelf.database.writing() as tx:
        assert not PHOTOS.rename(tx, photo.id, "new.jpg")


def test_expired_photos_are_walked_newest_first(shelf):
    photos = shelf.photos(["a.jpg", "b.jpg", "c.jpg", "fresh.jpg", "kept.jpg"])
    for photo in photos[:3]:
        trash(shelf, photo, NOW - timedelta(days=31))
    trash(shelf, photos[3], NOW)
    a, b, c = (photo.id for photo in photos[:3])
    with shelf.database.reading() as tx:
        assert TRASH.expired(tx, NOW, None, 2) == [c, b]
        assert TRASH.expired(tx, NOW, b, 2) == [a]
        assert TRASH.expired(tx, NOW, a, 2) == []


def test_purge_takes_what_is_in_the_trash_for_long(shelf):
    old, fresh, kept = shelf.photos(["old.jpg", "fresh.jpg", "kept.jpg"])
    trash(shelf, old, NOW - timedelta(days=31))
    trash(shelf, fresh, NOW - timedelta(days=29))
    with shelf.database.writing() as tx:
        ids = [photo.id for photo in (old, fresh, kept)]
        assert TRASH.purge(tx, ids, NOW - timedelta(days=30)) == 1
        assert TRASH.purge(tx, ids, NOW - timedelta(days=30)) == 0
    assert page(shelf, trash=True) == ["fresh.jpg"]
    assert find(shelf, kept)
