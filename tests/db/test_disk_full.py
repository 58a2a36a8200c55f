"""Only messages of a full disk become DiskFull."""

from db.disk_full import disk_full_error


def test_another_error_is_not_taken_for_a_full_disk(tmp_path):
    assert disk_full_error(tmp_path, ValueError("no such column")) is None
    assert disk_full_error(tmp_path, KeyboardInterrupt("No space left on device")) is None
    assert disk_full_error(tmp_path, None) is None
