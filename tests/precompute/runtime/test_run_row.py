"""Rows of the table `run`."""

import json
from datetime import datetime, timedelta, timezone
from importlib.metadata import version

from precompute.runtime.method_versions import METHOD_VERSIONS
from precompute.runtime.run_row import package_versions, run_row


def test_a_run_is_stored_with_its_time_in_utc_and_its_options_in_one_order():
    started = datetime(2024, 5, 1, 1, 30, tzinfo=timezone(timedelta(hours=2)))

    [row] = run_row("m", "texts", {"b": 1, "a": "é"}, {"torch": "2"}, started, 1.5).to_dict("records")

    assert row["started_at"] == datetime(2024, 4, 30, 23, 30)
    assert row["options"] == '{"a": "é", "b": 1}'
    assert json.loads(row["method_version"]) == dict(METHOD_VERSIONS)


def test_versions_are_those_of_the_installed_packages():
    assert package_versions(["numpy"]) == {"numpy": version("numpy")}
