"""What every store of bytes promises, held against each of them."""

import hashlib
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from albumen.domain.photos import BlobKey
from albumen.errors import BlobDamaged
from engines import sealed_digest

MANY = 40
SECONDS = 20


def receive(store, data, chunk=7):
    incoming = store.receiver().receive()
    for start in range(0, len(data), chunk):
        incoming.write(data[start : start + chunk])
    return incoming


def put(store, *blobs):
    """Publish bytes together; return their keys."""
    sealed = [
        (incoming, BlobKey(sealed_digest(incoming), "jpg")) for incoming in (receive(store, data) for data in blobs)
    ]
    store.publish(sealed)
    return [key for _, key in sealed]


def read(store, key):
    with store.open(key) as file:
        return file.read()


def later(seconds=1):
    return datetime.now(UTC) + timedelta(seconds=seconds)


def test_deleted_bytes_stay_among_the_sources_while_somebody_retains_them(local_store):
    (key,) = put(local_store, b"some bytes of a photo")
    with local_store.retaining():
        local_store.delete(key)
        assert local_store.empty_quarantine(later()) == 0
        assert [path.read_bytes() for path in local_store.sources(key) if path.exists()] == [b"some bytes of a photo"]
    assert local_store.empty_quarantine(later()) == 1
    assert [path for path in local_store.sources(key) if path.exists()] == []


def test_several_may_retain_at_once_and_uploads_go_on(store):
    with store.retaining(), store.retaining():
        (key,) = put(store, b"some bytes of a photo")
        assert read(store, key) == b"some bytes of a photo"


def test_withdrawn_bytes_are_gone_for_good_and_can_come_again(store):
    (key,) = put(store, b"some bytes of a photo")
    with store.sweeping():
        store.withdraw(key)
        store.withdraw(key)
    assert store.stat(key) is None
    assert store.empty_quarantine(later()) == 0
    assert put(store, b"some bytes of a photo") == [key]
    assert read(store, key) == b"some bytes of a photo"


def test_published_bytes_are_read_back(store):
    (key,) = put(store, b"some bytes of a photo")
    assert read(store, key) == b"some bytes of a photo"


def test_seal_tells_the_digest_of_what_was_written(store):
    assert (
        sealed_digest(receive(store, b"some bytes of a photo")) == hashlib.sha256(b"some bytes of a photo").hexdigest()
    )


def test_size_counts_what_was_written(store):
    incoming = receive(store, b"12345")
    assert incoming.size == 5
    incoming.discard()


def test_bytes_can_be_read_before_they_are_sealed_and_written_on(store):
    incoming = receive(store, b"begin")
    with incoming.reader() as file:
        assert file.read(3) == b"beg"
        file.seek(0)
        assert file.read() == b"begin"
    incoming.write(b", end")
    key = BlobKey(sealed_digest(incoming), "jpg")
    store.publish([(incoming, key)])
    assert read(store, key) == b"begin, end"


def test_opened_bytes_can_be_read_from_any_place(store):
    (key,) = put(store, b"0123456789")
    with store.open(key) as file:
        file.seek(4)
        assert file.read(2) == b"45"
        file.seek(-1, 2)
        assert file.read() == b"9"


def test_bytes_that_were_not_published_are_not_there(store):
    incoming = receive(store, b"sealed only")
    key = BlobKey(sealed_digest(incoming), "jpg")
    assert store.stat(key) is None
    assert list(store.keys()) == []
    with pytest.raises(BlobDamaged):
        store.open(key)
    incoming.discard()


def test_group_is_published_together(store):
    blobs = [b"photo %d" % number for number in range(MANY)]
    keys = put(store, *blobs)
    assert [read(store, key) for key in keys] == blobs


def test_empty_group_is_fine(store):
    store.publish([])
    assert list(store.keys()) == []


def test_equal_bytes_in_a_group_are_stored_once(store):
    first, second = put(store, b"twins", b"twins")
    assert first == second
    assert list(store.keys()) == [first]


def test_publishing_what_is_there_keeps_it_readable(store):
    (key,) = put(store, b"again")
    with store.open(key) as earlier:
        assert put(store, b"again") == [key]
        assert earlier.read() == b"again"
    assert read(store, key) == b"again"
    assert list(store.keys()) == [key]


def test_discarding_is_harmless_twice_and_after_publishing(store):
    incoming = receive(store, b"kept")
    key = BlobKey(sealed_digest(incoming), "jpg")
    store.publish([(incoming, key)])
    incoming.discard()
    incoming.discard()
    assert read(store, key) == b"kept"


@pytest.mark.parametrize("written", [b"", b"half of a"])
def test_discarded_bytes_leave_nothing(store, written):
    incoming = receive(store, written)
    incoming.discard()
    incoming.discard()
    assert list(store.keys()) == []


def test_place_follows_from_the_key_alone(store):
    data = b"soon there"
    key = BlobKey(hashlib.sha256(data).hexdigest(), "jpg")
    before = store.locate(key)
    assert put(store, data) == [key]
    assert store.locate(key) == before
    assert store.locate(BlobKey("0" * 64, "jpg")) != before


def test_stat_tells_size_and_time(store):
    before = later(-1)
    (key,) = put(store, b"12345")
    stat = store.stat(key)
    assert stat.bytes == 5
    assert before <= stat.stored_at <= later()


def test_deleted_bytes_are_gone(store):
    gone, kept = put(store, b"gone", b"kept")
    store.delete(gone)
    assert store.stat(gone) is None
    with pytest.raises(BlobDamaged):
        store.open(gone)
    assert list(store.keys()) == [kept]
    assert read(store, kept) == b"kept"


def test_many_are_deleted_at_once_and_what_is_not_there_is_passed_over(store):
    *gone, kept = put(store, *[b"photo %d" % number for number in range(MANY)])
    store.delete(*gone, BlobKey("0" * 64, "jpg"), gone[0])
    assert list(store.keys()) == [kept]
    assert store.empty_quarantine(later()) == len(gone)
    store.delete()


def test_deleting_twice_or_what_never_was_is_fine(store):
    (key,) = put(store, b"gone")
    store.delete(key)
    store.delete(key)
    store.delete(BlobKey("0" * 64, "jpg"))


def test_deleted_bytes_can_be_put_again(store):
    (key,) = put(store, b"back")
    store.delete(key)
    assert put(store, b"back") == [key]
    assert read(store, key) == b"back"


def test_reader_of_deleted_bytes_reads_to_their_end(store):
    (key,) = put(store, b"being read")
    with store.open(key) as file:
        assert file.read(5) == b"being"
        store.delete(key)
        assert file.read() == b" read"


def test_keys_come_in_the_order_of_their_digests(store):
    keys = put(store, *[b"photo %d" % number for number in range(MANY)])
    listed = list(store.keys())
    assert [key.sha256 for key in listed] == sorted(key.sha256 for key in keys)
    assert set(listed) == set(keys)


def test_keys_carry_the_extension_of_the_format(store):
    incoming = receive(store, b"a heic")
    key = BlobKey(sealed_digest(incoming), "heic")
    store.publish([(incoming, key)])
    assert list(store.keys()) == [key]


def test_quarantine_is_emptied_by_age(store):
    store.delete(put(store, b"gone")[0])
    assert store.empty_quarantine(later(-60)) == 0
    assert store.empty_quarantine(later()) == 1
    assert store.empty_quarantine(later()) == 0


def test_emptying_the_quarantine_leaves_what_was_put_again(store):
    (key,) = put(store, b"back")
    store.delete(key)
    put(store, b"back")
    store.empty_quarantine(later())
    assert read(store, key) == b"back"


def test_working_store_passes_its_check(store):
    store.check()
    assert list(store.keys()) == []


def test_sweep_waits_for_those_who_hold(store):
    order = []
    holds, is_held = threading.Event(), threading.Event()

    def hold():
        with store.holding():
            is_held.set()
            assert holds.wait(SECONDS)
            order.append("committed")

    def sweep():
        assert is_held.wait(SECONDS)
        with store.sweeping():
            order.append("swept")

    with ThreadPoolExecutor(2) as pool:
        futures = [pool.submit(hold), pool.submit(sweep)]
        assert is_held.wait(SECONDS)
        assert order == []
        holds.set()
        for future in futures:
            future.result(SECONDS)
    assert order == ["committed", "swept"]


def test_those_who_hold_wait_for_a_sweep(store):
    order = []
    entered = threading.Event()

    def hold():
        entered.set()
        with store.holding():
            order.append("committed")

    with ThreadPoolExecutor(1) as pool:
        with store.sweeping():
            future = pool.submit(hold)
            assert entered.wait(SECONDS)
            order.append("swept")
        future.result(SECONDS)
    assert order == ["swept", "committed"]


def test_sweep_has_its_turn_while_uploads_never_pause(store):
    stop = threading.Event()

    def hold_again_and_again():
        while not stop.is_set():
            with store.holding():
                stop.wait(0.02)

    def sweep():
        with store.sweeping():
            return True

    with ThreadPoolExecutor(13) as pool:
        holders = [pool.submit(hold_again_and_again) for _ in range(12)]
        try:
            assert pool.submit(sweep).result(SECONDS)
        finally:
            stop.set()
        for holder in holders:
            holder.result(SECONDS)


def test_many_threads_put_the_same_and_different_bytes(store):
    def put_some(number):
        return put(store, b"shared", b"own %d" % number, b"of a pair %d" % (number // 2))

    with ThreadPoolExecutor(8) as pool:
        keys = {key for found in pool.map(put_some, range(MANY)) for key in found}
    assert set(store.keys()) == keys
    assert len(keys) == 1 + MANY + MANY // 2
    assert all(hashlib.sha256(read(store, key)).hexdigest() == key.sha256 for key in keys)


def test_threads_that_put_delete_and_read_never_see_half_of_anything(store):
    data = b"x" * 100_000
    (key,) = put(store, data)

    def churn(number):
        if number % 3 == 0:
            store.delete(key)
        elif number % 3 == 1:
            put(store, data)
        else:
            return _length_or_nothing(store, key)
        return 0

    with ThreadPoolExecutor(6) as pool:
        assert set(pool.map(churn, range(45))) <= {0, len(data)}


def _length_or_nothing(store, key):
    try:
        return len(read(store, key))
    except BlobDamaged:
        return 0
