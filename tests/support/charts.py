"""Data of a drawn chart."""


def rows(chart: dict, part: dict) -> list[dict]:
    """The data that a part of a chart draws."""
    return chart["datasets"][part.get("data", chart.get("data"))["name"]]


NAN = float("nan")


def standing(under="a", part="model", value=0.5, low=NAN, high=NAN, chance=NAN, rank="", **more) -> dict:
    numbers = {"value": value, "low": low, "high": high, "chance": chance, "rank": rank}
    return {"model_key": under, "under": under, "model": f"model/{under}", "part": part, **numbers, **more}


def data_of(chart: dict) -> list[dict]:
    return chart["datasets"][chart["data"]["name"]]
