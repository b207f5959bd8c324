"""Decoding in real child processes: results, limits, crashes, and the end of the parent."""

import base64
import os
import signal
import struct
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest
from PIL import Image

import pictures
from albumen.domain.previews import FORMATS
from albumen.errors import Busy, PreviewFailed, StorageFull, StorageUnavailable
from albumen.imaging.pool import DecoderLost, DecoderPool, PreviewWish
from wire import eventually

EVERY_TYPE = ["jpeg", "png", "webp", "gif", "tiff", "bmp", "avif", "heic"]


@pytest.fixture(scope="module")
def shared_pool():
    pool = DecoderPool(processes=2)
    yield pool
    pool.close()


@pytest.fixture
def single_pool():
    """One decoder with little memory, for tests that break it."""
    pool = DecoderPool(processes=1, seconds=20, memory_bytes=300_000_000)
    yield pool
    pool.close()


@pytest.fixture
def photo(tmp_path):
    source = tmp_path / "photo"
    source.write_bytes(pictures.jpeg(640, 480))
    return source


def _wish(folder, size=256, name="jpeg"):
    return PreviewWish(size, name, folder / f"{size}.{name}")


def _only_child(pool):
    (child,) = pool._idle
    return psutil.Process(child.pid)


def _make_in_time(pool, photo, wish):
    """Make a preview with a pool of little patience, however busy the machine is."""
    eventually(lambda: _is_made(pool, photo, wish), "the decoders are never in time")


def _is_made(pool, photo, wish):
    try:
        pool.previews(photo, "image/jpeg", [wish])
    except DecoderLost:
        return False
    return True


def _decoders():
    mine = psutil.Process().children()
    return {child.pid for child in mine if "albumen.imaging.decoder" in child.cmdline()}


@pytest.mark.parametrize("kind", EVERY_TYPE)
def test_every_format_gives_previews_and_a_placeholder(shared_pool, tmp_path, kind):
    source = tmp_path / "photo"
    source.write_bytes(getattr(pictures, kind)(640, 480))
    wishes = [_wish(tmp_path, 256, "jpeg"), _wish(tmp_path, 512, "webp"), _wish(tmp_path, 256, "avif")]
    derived = shared_pool.derive(source, f"image/{kind}", wishes)
    assert 5 <= len(base64.b64decode(derived.placeholder)) <= 30
    for wish in wishes:
        with Image.open(wish.target) as shown:
            assert shown.size == (wish.size, wish.size * 3 // 4)
            assert Image.MIME[shown.format] == FORMATS[wish.format]


def test_metadata_comes_with_the_previews_and_not_inside_them(shared_pool, tmp_path):
    exif = Image.Exif()
    exif[0x0110] = "SecretModel"
    exif.get_ifd(0x8825).update({1: "N", 2: (59.0, 30.0, 0.0), 3: "E", 4: (30.0, 15.0, 0.0)})
    source, wish = tmp_path / "photo", _wish(tmp_path)
    source.write_bytes(pictures.jpeg(exif=exif))
    metadata = shared_pool.derive(source, "image/jpeg", [wish]).metadata
    assert metadata.camera == "SecretModel"
    assert (metadata.position.latitude, metadata.position.longitude) == (59.5, 30.25)
    assert b"SecretModel" not in wish.target.read_bytes()


def test_derive_without_wishes_still_reads_the_placeholder(shared_pool, photo):
    assert shared_pool.derive(photo, "image/jpeg", []).placeholder


def test_decoders_start_when_needed_and_never_more_than_allowed(tmp_path, photo):
    before = _decoders()
    pool = DecoderPool(processes=2)
    assert _decoders() == before
    wishes = [PreviewWish(256, "jpeg", tmp_path / str(number)) for number in range(40)]
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda wish: pool.previews(photo, "image/jpeg", [wish]), wishes))
    assert 1 <= len(_decoders() - before) <= 2
    assert all(wish.target.stat().st_size for wish in wishes)
    pool.close()
    assert _decoders() == before


def test_decoder_is_used_again_and_retires_after_its_tasks(tmp_path, photo):
    pool, pids = DecoderPool(processes=1, tasks_per_process=3), []
    for _ in range(5):
        pool.previews(photo, "image/jpeg", [_wish(tmp_path)])
        pids += [child.pid for child in pool._idle]
    pool.close()
    assert pids[0] == pids[1] != pids[2] == pids[3]
    assert len(pids) == 4


def test_unused_decoder_ends_and_the_next_task_starts_another(tmp_path, photo):
    pool = DecoderPool(processes=1, idle_seconds=0.2)
    pool.previews(photo, "image/jpeg", [_wish(tmp_path)])
    unused = _only_child(pool)
    unused.wait(10)
    eventually(lambda: not pool._idle, "the pool still counts on it")
    pool.previews(photo, "image/jpeg", [_wish(tmp_path)])
    assert _only_child(pool) != unused
    pool.close()


def test_decoder_that_is_used_again_in_time_stays(tmp_path, photo):
    pool, pids = DecoderPool(processes=1, idle_seconds=2), set()
    ends = time.monotonic() + 3
    while time.monotonic() < ends:
        pool.previews(photo, "image/jpeg", [_wish(tmp_path)])
        pids.add(_only_child(pool).pid)
        time.sleep(0.1)
    pool.close()
    assert len(pids) == 1


def test_closed_pool_refuses_and_can_be_closed_again(tmp_path, photo):
    pool = DecoderPool(processes=1)
    pool.close()
    pool.close()
    with pytest.raises(Busy):
        pool.previews(photo, "image/jpeg", [_wish(tmp_path)])


@pytest.mark.parametrize("kind", EVERY_TYPE)
@pytest.mark.parametrize("data", [b"", b"not a photo at all", bytes(range(256)) * 40], ids=["empty", "text", "noise"])
def test_garbage_fails_with_a_message_that_names_no_path(shared_pool, tmp_path, kind, data):
    source = tmp_path / "secret-place"
    source.write_bytes(data)
    with pytest.raises(PreviewFailed) as failure:
        shared_pool.previews(source, f"image/{kind}", [_wish(tmp_path)])
    assert failure.value.detail == "The photo is damaged or of a kind that cannot be decoded."


@pytest.mark.parametrize("kind", sorted(set(EVERY_TYPE) - {"bmp"}))
def test_cut_off_photo_fails(shared_pool, tmp_path, kind):
    source = tmp_path / "photo"
    source.write_bytes(pictures.truncate(getattr(pictures, kind)(640, 480), 0.7))
    with pytest.raises(PreviewFailed):
        shared_pool.derive(source, f"image/{kind}", [_wish(tmp_path)])


def test_missing_photo_fails(shared_pool, tmp_path):
    with pytest.raises(PreviewFailed):
        shared_pool.previews(tmp_path / "nowhere", "image/jpeg", [_wish(tmp_path)])


def test_full_disk_is_not_the_fault_of_the_photo(shared_pool, photo):
    with pytest.raises(StorageFull):
        shared_pool.previews(photo, "image/jpeg", [PreviewWish(256, "jpeg", Path("/dev/full"))])


def test_disk_that_cannot_be_written_is_not_the_fault_of_the_photo(shared_pool, photo, tmp_path):
    with pytest.raises(StorageUnavailable):
        shared_pool.previews(photo, "image/jpeg", [_wish(tmp_path / "nowhere")])


def test_decoder_that_hangs_is_replaced(tmp_path, photo):
    pool = DecoderPool(processes=1, seconds=2)
    _make_in_time(pool, photo, _wish(tmp_path))
    hung = _only_child(pool)
    hung.suspend()
    with pytest.raises(DecoderLost, match="longer than 2 s"):
        pool.previews(photo, "image/jpeg", [_wish(tmp_path)])
    assert not hung.is_running()
    _make_in_time(pool, photo, _wish(tmp_path))
    pool.close()


def test_decoder_killed_during_a_task_costs_that_task_only(tmp_path, photo):
    pool = DecoderPool(processes=1)
    pool.previews(photo, "image/jpeg", [_wish(tmp_path)])
    process, (child,) = _only_child(pool), pool._idle
    process.suspend()
    with ThreadPoolExecutor(1) as threads:
        asking = threads.submit(pool.previews, photo, "image/jpeg", [_wish(tmp_path)])
        eventually(lambda: child.asked == 2, "nobody asks the decoder")
        process.kill()
        with pytest.raises(DecoderLost, match="crashed"):
            asking.result(60)
    pool.previews(photo, "image/jpeg", [_wish(tmp_path)])
    pool.close()


def test_decoder_killed_between_tasks_costs_nothing(single_pool, tmp_path, photo):
    single_pool.previews(photo, "image/jpeg", [_wish(tmp_path)])
    (child,) = single_pool._idle
    _only_child(single_pool).kill()
    eventually(lambda: not child.is_alive(), "the decoder lives on")
    single_pool.previews(photo, "image/jpeg", [_wish(tmp_path)])


def test_photo_that_swells_in_memory_fails_within_the_limit(single_pool, tmp_path):
    source = tmp_path / "bomb"
    source.write_bytes(_bmp_of(30_000, 30_000))
    with pytest.raises(PreviewFailed, match="more memory than is allowed"):
        single_pool.previews(source, "image/bmp", [_wish(tmp_path)])
    source.write_bytes(pictures.jpeg())
    single_pool.previews(source, "image/jpeg", [_wish(tmp_path)])


def _bmp_of(width, height):
    """Return a BMP whose run-length coded pixels are two bytes long, and whose canvas is enormous."""
    palette, pixels = bytes(1024), b"\0\1"
    header = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 8, 1, len(pixels), 0, 0, 256, 0)
    start = 14 + len(header) + len(palette)
    return b"BM" + struct.pack("<IHHI", start + len(pixels), 0, 0, start) + header + palette + pixels


def test_bomb_of_pixels_fails(single_pool, tmp_path):
    source = tmp_path / "bomb"
    source.write_bytes(pictures.png_bomb())
    with pytest.raises(PreviewFailed):
        single_pool.previews(source, "image/png", [_wish(tmp_path)])


def test_decoder_runs_under_limits(single_pool, tmp_path, photo):
    single_pool.previews(photo, "image/jpeg", [_wish(tmp_path)])
    child = _only_child(single_pool)
    soft, hard = child.rlimit(psutil.RLIMIT_AS)
    assert soft == hard
    assert 300_000_000 < soft < 1_500_000_000
    assert child.rlimit(psutil.RLIMIT_CORE) == (0, 0)
    assert child.rlimit(psutil.RLIMIT_FSIZE)[1] == 64 * 1024 * 1024
    assert child.rlimit(psutil.RLIMIT_CPU)[0] <= 30


def test_background_decoders_yield_the_processor(tmp_path, photo):
    pool = DecoderPool(processes=1, niceness=10)
    pool.previews(photo, "image/jpeg", [_wish(tmp_path)])
    assert _only_child(pool).nice() == min(19, 10 + psutil.Process().nice())
    pool.close()


def test_no_secret_of_the_environment_reaches_a_decoder(single_pool, tmp_path, photo, monkeypatch):
    monkeypatch.setenv("ALBUMEN_SECRET", "hunter2")
    single_pool.previews(photo, "image/jpeg", [_wish(tmp_path)])
    assert "hunter2" not in _only_child(single_pool).environ().values()


def test_signal_to_the_whole_group_leaves_the_task_to_its_end(single_pool, tmp_path, photo):
    single_pool.previews(photo, "image/jpeg", [_wish(tmp_path)])
    child = _only_child(single_pool)
    for number in (signal.SIGINT, signal.SIGTERM):
        child.send_signal(number)
    single_pool.previews(photo, "image/jpeg", [_wish(tmp_path)])
    assert _only_child(single_pool) == child


def test_decoder_ends_when_its_parent_is_killed(tmp_path, photo):
    program = (
        "import sys, time\n"
        "from pathlib import Path\n"
        "from albumen.imaging.pool import DecoderPool, PreviewWish\n"
        "pool = DecoderPool(processes=1)\n"
        "pool.previews(Path(sys.argv[1]), 'image/jpeg', [PreviewWish(256, 'jpeg', Path(sys.argv[2]))])\n"
        "print(pool._idle[0].pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    command = [sys.executable, "-c", program, photo, tmp_path / "target"]
    with subprocess.Popen(command, env=_environment(), stdout=subprocess.PIPE, text=True) as parent:
        child = psutil.Process(int(parent.stdout.readline()))
        parent.kill()
    child.wait(10)


def test_parent_never_loads_an_image_library():
    program = "import sys, albumen.imaging.pool; print({'pyvips', 'PIL', 'pillow_heif'} & set(sys.modules))"
    command = [sys.executable, "-c", program]
    assert subprocess.check_output(command, env=_environment(), text=True).strip() == "set()"


def _environment():
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
