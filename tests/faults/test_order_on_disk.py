"""What a power cut could take away is on the disk before the client is told: seen in the system calls of the server."""

from __future__ import annotations

from pathlib import Path

import pytest
import traffic
from systemcalls import read_calls

from conftest import running, tool
from forms import sha256
from pictures import of_size
from wire import eventually

PHOTOS = 5
TRACED = (
    "openat,write,writev,pwrite64,fdatasync,fsync,rename,renameat,renameat2,link,linkat,mkdir,mkdirat,"
    "sendto,sendmsg,sendfile"
)
SYNCS = {"fsync", "fdatasync"}
SENDS = {"sendto", "sendmsg", "writev", "write", "sendfile"}
RENAMES = {"rename", "renameat", "renameat2"}


class Trace:
    """The system calls of one upload, from the start of the server to the end of its answer."""

    def __init__(self, data, calls, outcomes):
        self.data = data
        self.calls = [call for call in calls if call.succeeded]
        self.outcomes = outcomes

    def first_byte_of_answer(self):
        """Return the place of the first call that sends any of the answer to the upload."""
        return _answers(self.calls)[0].began

    def rename_to(self, path):
        return next(call for call in self.calls if call.name in RENAMES and _named(call)[-1] == path)

    def syncs_of(self, path):
        return [call for call in self.calls if call.name in SYNCS and call.target == str(path)]

    def is_synced(self, path, *, after, before):
        """Whether a sync of the path began after one place and ended before another."""
        return any(after < call.began and call.ended < before for call in self.syncs_of(path))

    def blobs(self):
        return [traffic.blob_path(self.data, outcome["sha256"]) for outcome in self.outcomes]

    def folders_made(self):
        """Return the folders that lead to the blobs, each with the place where its making ended."""
        leading = {folder for blob in self.blobs() for folder in blob.parents if self.data in folder.parents}
        made = {Path(call.paths[-1]): call.ended for call in self.calls if call.name in {"mkdir", "mkdirat"}}
        return {folder: made[folder] for folder in leading}


def _answers(calls):
    """Return the calls that send the beginning of an answer to an upload."""
    return [
        call
        for call in calls
        if call.name in SENDS and call.target.startswith("TCP") and "HTTP/1.1 201" in call.arguments
    ]


def _named(call):
    return [Path(folder, name) for folder, name in call.named]


def _upload_traced(data, log):
    strace = (tool("strace"), "-f", "-yy", "-s", "64", "-o", str(log), "-e", f"trace={TRACED}")
    with running(data, "--workers", "1", prefix=strace, ALBUMEN_DERIVE="false") as server:
        answer = traffic.post(server.url, [of_size(20_000, seed=number) for number in range(PHOTOS)])
        assert answer.status_code == 201
        eventually(lambda: _answers(read_calls(log.read_text(errors="replace"))), "the trace ends before the answer")
        return answer.json()["photos"]


@pytest.fixture(scope="module")
def trace(tmp_path_factory):
    folder = tmp_path_factory.mktemp("traced").resolve()
    outcomes = _upload_traced(folder / "data", folder / "trace")
    return Trace(folder / "data", read_calls((folder / "trace").read_text(errors="replace")), outcomes)


def test_bytes_are_synced_before_they_get_their_final_name(trace):
    assert len(trace.blobs()) == PHOTOS
    for blob in trace.blobs():
        renamed = trace.rename_to(blob)
        assert trace.is_synced(_named(renamed)[0], after=-1, before=renamed.began), blob


def test_nothing_is_written_to_a_photo_after_its_sync(trace):
    for blob in trace.blobs():
        received = _named(trace.rename_to(blob))[0]
        written = [
            call.ended for call in trace.calls if call.name in {"write", "writev"} and call.target == str(received)
        ]
        assert max(written) < trace.syncs_of(received)[-1].began


def test_names_are_synced_before_the_first_byte_of_the_answer(trace):
    for blob in trace.blobs():
        after = trace.rename_to(blob).ended
        assert trace.is_synced(blob.parent, after=after, before=trace.first_byte_of_answer()), blob


def test_new_folders_are_synced_into_the_folders_above_before_the_first_byte_of_the_answer(trace):
    assert trace.data / "blobs" in trace.folders_made()
    for folder, place in trace.folders_made().items():
        assert trace.is_synced(folder.parent, after=place, before=trace.first_byte_of_answer()), folder


def test_the_commit_comes_after_the_blobs_and_is_synced_before_the_first_byte_of_the_answer(trace):
    log = trace.data / "albumen.db-wal"
    named = max(trace.rename_to(blob).ended for blob in trace.blobs())
    written = [call for call in trace.calls if call.name == "pwrite64" and call.target == str(log)]
    commit = [call for call in written if named < call.began < trace.first_byte_of_answer()]
    assert commit
    assert trace.is_synced(log, after=commit[-1].ended, before=trace.first_byte_of_answer())
    names_synced = [call.ended for blob in trace.blobs() for call in trace.syncs_of(blob.parent)]
    assert max(names_synced) < commit[0].began


def test_the_files_that_were_traced_hold_what_was_sent(trace):
    assert [sha256(blob.read_bytes()) for blob in trace.blobs()] == [item["sha256"] for item in trace.outcomes]
