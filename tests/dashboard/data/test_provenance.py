"""Queries as people can run them."""

from dashboard.data import provenance


def test_a_value_is_written_as_sql_reads_it():
    assert provenance.literal(["a dog's nose", "b"]) == "['a dog''s nose', 'b']"
    assert provenance.literal(None) == "null"
