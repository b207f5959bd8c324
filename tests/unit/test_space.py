"""The floor of free space."""

import pytest

from albumen.errors import StorageFull, StorageUnavailable
from albumen.storage.space import Floor

MORE_THAN_ANY_DISK = 1 << 60


def test_any_disk_is_above_a_floor_of_nothing(tmp_path):
    Floor(tmp_path, 0).check()


def test_a_floor_above_the_free_space_refuses(tmp_path):
    with pytest.raises(StorageFull):
        Floor(tmp_path, MORE_THAN_ANY_DISK).check()


def test_a_folder_that_is_gone_is_told_as_our_error(tmp_path):
    with pytest.raises(StorageUnavailable):
        Floor(tmp_path / "gone", 0).check()
