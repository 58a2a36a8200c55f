"""Metrics say by which of them models are ranked, and why by the others they are not."""

from precompute.method.metric_info import GROWS, METRICS, MetricInfo


def info(level: str = "model", direction: str = "higher", reason: str | None = None) -> dict:
    return MetricInfo("m", level, "M", "A metric.", "share", direction, reason).row()


def test_a_metric_of_models_with_a_better_end_is_ranked():
    assert (info()["ranked"], info()["unranked_reason"]) == (True, None)


def test_other_metrics_are_not_ranked_and_have_a_reason():
    assert not any(row["ranked"] for row in (info("head"), info(direction="neither"), info(reason=GROWS)))
    assert info(reason=GROWS)["unranked_reason"] == GROWS
    assert info("head")["unranked_reason"] != info(direction="neither")["unranked_reason"] is not None


def test_every_metric_is_explained_once():
    assert len({one.metric for one in METRICS}) == len(METRICS)
    assert {one.level for one in METRICS} == {"head", "model"}
    assert {one.direction for one in METRICS} == {"higher", "lower", "neither"}
    assert all(one.title and one.description.endswith(".") and one.unit for one in METRICS)
