"""Rows of metrics, by name."""


def value_of(rows, metric, heads_used="all"):
    return next(row for row in rows if (row.metric, row.heads_used) == (metric, heads_used))
