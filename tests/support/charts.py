"""Data of a drawn chart."""


def rows(chart: dict, part: dict) -> list[dict]:
    """The data that a part of a chart draws."""
    return chart["datasets"][part.get("data", chart.get("data"))["name"]]
