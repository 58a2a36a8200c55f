"""Rows of validation_score, written by hand."""

NAN = float("nan")

MODELS = {"a": ("demo/a", False, None), "r": ("demo/a-random", True, "demo/a"), "b": ("demo/b", False, None)}

NAMES = ["property", "layer", "head", "method", "comparison"]

NUMBERS = ["value", "low", "high", "chance", "count"]


def score(key, study, measure, subject_kind, attribute="", effect="", k=0, **more):
    model, is_control, control_of = MODELS[key]
    return {
        "model_key": key,
        "study": study,
        "measure": measure,
        "subject_kind": subject_kind,
        **dict.fromkeys(NAMES),
        "attribute": attribute,
        "effect": effect,
        "k": k,
        **dict.fromkeys(NUMBERS, NAN),
        "model": model,
        "is_control": is_control,
        "control_of": control_of,
        **more,
    }
