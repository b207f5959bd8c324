"""Previews on a real disk: made once whatever asks, remembered when they cannot be made."""

import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO

import psutil
import pytest
from PIL import Image

import pictures
from albumen.bootstrap import build
from albumen.domain.photos import Blob, PhotoHeader
from albumen.errors import BlobDamaged, Busy, PreviewFailed
from albumen.services.previews import MOST_LOSSES
from albumen.storage.previews import FAILURE_SECONDS
from batches import files, preview_files, upload_one
from wire import eventually

PROCESSES = 2
SECONDS = 60
MAKER = """
import sys
from pathlib import Path
from albumen.bootstrap import build
from albumen.config import load_settings
from albumen.domain.photos import Blob, PhotoHeader

services = build(load_settings({"data": Path(sys.argv[1]), "decode_processes": 1}))
blob = Blob(sys.argv[2], 1, PhotoHeader("image/jpeg", "jpg", 1, 1))
print("ready", flush=True)
sys.stdin.readline()
path = services.previews.get(blob, 256, "jpeg")
print(path.stat().st_ino, len(services._decoders._idle), flush=True)
services.close()
"""


def test_preview_is_a_valid_picture_in_its_box(services):
    blob = upload_one(services, pictures.jpeg(800, 600)).blob
    with Image.open(services.previews.get(blob, 256, "jpeg")) as image:
        image.load()
        assert (image.format, image.size) == ("JPEG", (256, 192))


def test_preview_is_made_once_and_then_read(services):
    blob = upload_one(services, pictures.jpeg()).blob
    first = services.previews.get(blob, 256, "jpeg").stat()
    assert services.previews.get(blob, 256, "jpeg").stat() == first
    assert preview_files(services) == [services.previews.ready(blob, 256, "jpeg")]


def test_sizes_and_formats_are_files_of_their_own(services):
    blob = upload_one(services, pictures.jpeg(800, 600)).blob
    wanted = [(256, "jpeg"), (256, "webp"), (512, "jpeg")]
    paths = {services.previews.get(blob, *each) for each in wanted}
    assert sorted(paths) == preview_files(services)
    assert {Image.open(BytesIO(path.read_bytes())).format for path in paths} == {"JPEG", "WEBP"}


def test_threads_that_ask_at_once_share_one_maker(services):
    blob = upload_one(services, pictures.jpeg(800, 600)).blob
    with ThreadPoolExecutor(6) as pool:
        paths = list(pool.map(lambda _: services.previews.get(blob, 256, "jpeg").stat().st_ino, range(6)))
    assert len(set(paths)) == 1
    assert services._decoders._idle[0].asked == 1


def test_processes_that_ask_at_once_share_one_maker(services):
    blob = upload_one(services, pictures.jpeg(2400, 1800)).blob
    command = [sys.executable, "-c", MAKER, str(services.settings.data), blob.sha256]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    makers = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)
        for _ in range(PROCESSES)
    ]
    assert [maker.stdout.readline() for maker in makers] == ["ready\n"] * PROCESSES
    answers = [_go(maker) for maker in makers]
    inodes, decoders = zip(*[map(int, maker.communicate(timeout=SECONDS)[0].split()) for maker in answers], strict=True)
    assert len(set(inodes)) == 1
    assert sum(decoders) == 1
    assert len(preview_files(services)) == 1


def _go(maker):
    """Let a process begin; all have been waiting for this line."""
    maker.stdin.write("go\n")
    maker.stdin.flush()
    return maker


def test_photo_that_cannot_be_decoded_fails_and_leaves_no_preview(services):
    blob = upload_one(services, pictures.undecodable_jpeg()).blob
    with pytest.raises(PreviewFailed):
        services.previews.get(blob, 256, "jpeg")
    assert [path.name for path in preview_files(services)] == ["failed"]
    assert files(services.settings.data / "tmp") == []


def test_failure_is_remembered_for_every_size(services):
    blob = upload_one(services, pictures.undecodable_jpeg()).blob
    for size in (256, 512, 256):
        with pytest.raises(PreviewFailed):
            services.previews.get(blob, size, "jpeg")
    assert services._decoders._idle[0].asked == 1


@pytest.mark.parametrize("seconds", [-FAILURE_SECONDS - 1, FAILURE_SECONDS + 60], ids=["over", "clock jumped back"])
def test_failure_is_tried_again_after_its_time(services, seconds):
    blob = upload_one(services, pictures.undecodable_jpeg()).blob
    with pytest.raises(PreviewFailed):
        services.previews.get(blob, 256, "jpeg")
    (memory,) = preview_files(services)
    moment = memory.stat().st_mtime + seconds
    os.utime(memory, (moment, moment))
    with pytest.raises(PreviewFailed):
        services.previews.get(blob, 256, "jpeg")
    assert services._decoders._idle[0].asked == 2


def test_preview_whose_decoder_was_killed_is_made_at_the_next_request(services):
    first, second = (upload_one(services, pictures.jpeg(seed=seed)).blob for seed in (1, 2))
    services.previews.get(first, 256, "jpeg")
    (child,) = services._decoders._idle
    process = psutil.Process(child.pid)
    process.suspend()
    with ThreadPoolExecutor(1) as pool:
        asking = pool.submit(services.previews.get, second, 256, "jpeg")
        eventually(lambda: child.asked == 2, "nobody makes the preview")
        process.kill()
        with pytest.raises(Busy):
            asking.result(SECONDS)
    assert services.previews.get(second, 256, "jpeg").exists()
    assert {path.name for path in preview_files(services)} == {"256.jpeg"}


@pytest.fixture
def hasty(services):
    """Services whose decoders are never quick enough, on the same data as `services`."""
    built = build(services.settings.model_copy(update={"decode_seconds": 0.001}))
    yield built
    built.close()


def test_photo_that_loses_every_decoder_is_not_tried_without_end(services, hasty):
    blob = upload_one(services, pictures.jpeg(2400, 1800)).blob
    for _ in range(MOST_LOSSES - 1):
        with pytest.raises(Busy):
            hasty.previews.get(blob, 256, "jpeg")
    with pytest.raises(PreviewFailed):
        hasty.previews.get(blob, 256, "jpeg")
    with pytest.raises(PreviewFailed):
        services.previews.get(blob, 512, "jpeg")


def test_all_who_wait_for_one_attempt_share_its_loss(services, hasty):
    blob = upload_one(services, pictures.jpeg(2400, 1800)).blob

    def told(_):
        with pytest.raises(Busy):
            hasty.previews.get(blob, 256, "jpeg")

    with ThreadPoolExecutor(2 * MOST_LOSSES) as pool:
        list(pool.map(told, range(2 * MOST_LOSSES)))
    assert services.previews.get(blob, 256, "jpeg").exists()


def test_decoders_that_were_lost_long_ago_do_not_count(services, hasty):
    blob = upload_one(services, pictures.jpeg(2400, 1800)).blob
    for _ in range(MOST_LOSSES + 1):
        with pytest.raises(Busy):
            hasty.previews.get(blob, 256, "jpeg")
        (memory,) = preview_files(services)
        os.utime(memory, (0, 0))


def test_missing_bytes_are_told_as_damage_and_not_remembered(services):
    blob = upload_one(services, pictures.jpeg()).blob
    services.store.delete(blob.key)
    with pytest.raises(BlobDamaged):
        services.previews.get(blob, 256, "jpeg")
    upload_one(services, pictures.jpeg(), dataset="again")
    assert services.previews.get(blob, 256, "jpeg").exists()


def test_preview_that_is_ready_outlives_the_photo_file(services):
    blob = upload_one(services, pictures.jpeg()).blob
    made = services.previews.get(blob, 256, "jpeg")
    services.store.delete(blob.key)
    assert services.previews.get(blob, 256, "jpeg") == made


def test_previews_can_be_deleted_at_any_time(services):
    blob = upload_one(services, pictures.jpeg()).blob
    made = services.previews.get(blob, 256, "jpeg")
    before = made.read_bytes()
    made.unlink()
    assert services.previews.get(blob, 256, "jpeg").read_bytes() == before


def test_places_never_lie_outside_the_data_directory(services):
    blob = Blob("0" * 64, 1, PhotoHeader("image/jpeg", "jpg", 1, 1))
    for path in (services.previews.original(blob), services.previews.ready(blob, 256, "jpeg")):
        assert path.resolve().is_relative_to(services.settings.data.resolve())
        assert not path.exists()


def test_previews_can_be_made_after_all_were_deleted(services):
    blob = upload_one(services, pictures.jpeg()).blob
    services.previews.get(blob, 256, "jpeg")
    shutil.rmtree(services.settings.data / "previews")
    assert services.previews.get(blob, 256, "jpeg").exists()
