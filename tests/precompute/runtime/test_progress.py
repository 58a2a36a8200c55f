"""What a run says of its progress: rate, and time left of stage, model and study."""

import time

from precompute import clip
from precompute.runtime import progress


def turns(*kinds: str) -> list[progress.Turn]:
    return [progress.Turn(f"{kind}/weights", kind, None) for kind in kinds]


def take(pieces: int, seconds: float) -> None:
    """A model with one pass, of which one piece was found."""
    with progress.bar("decomposing", total=pieces, done=1) as bar:
        for _ in range(pieces - 1):
            time.sleep(seconds)
            bar.update()


def test_every_model_is_announced_with_what_is_known_of_the_time_left(capsys, monkeypatch):
    """Three of four pieces take 0.3 s at least: a model is expected to take 0.4 s, two take 0.8."""
    monkeypatch.setattr(progress.eta, "words", lambda guess: f"{guess.seconds}" if guess else "")

    for _ in progress.in_turn(["a", "b", "c"], turns("B", "B", "B")):
        take(4, 0.1)

    lines = capsys.readouterr().err.replace("\r", "\n").splitlines()
    first, second, third = (line for line in lines if line.startswith("model"))
    assert first == "model 1 of 3, B/weights"
    for line, number, least in ((second, 2, 0.8), (third, 3, 0.4)):
        name, left = line.split("; ")
        assert name == f"model {number} of 3, B/weights"
        assert least <= float(left.removesuffix(" left of all")) < 100 * least


def test_a_bar_of_a_study_shows_the_time_left_of_model_and_study(capsys, monkeypatch):
    monkeypatch.setattr(progress.eta, "words", lambda guess: f"{guess.seconds:.0f}" if guess else "")

    for _ in progress.in_turn(["a", "b"], turns("B", "B")):
        take(3, 0.01)

    last = capsys.readouterr().err.replace("\r", "\n").strip().splitlines()[-1]
    assert "3/3" in last and "model 0, all 0" in last


def test_outside_of_a_study_a_bar_speaks_of_itself(capsys):
    take(2, 0)

    said = capsys.readouterr().err
    assert "decomposing" in said and "model" not in said


def test_a_log_gets_few_and_whole_lines(capsys):
    """No terminal: a bar writes when it begins, every ten seconds, and when it ends."""
    take(50, 0)

    assert capsys.readouterr().err.count("\r") <= 3


def test_a_larger_architecture_costs_more_an_image():
    small, large, huge = (clip.cost_of_image(name) for name in ("ViT-B-32", "ViT-B-16", "ViT-L-14"))

    assert 3.5 < large / small < 5  # 197 tokens for 50
    assert 4 < huge / large < 5.5  # published: 77.8 for 17.6 billion multiplications
    assert clip.cost_of_image("RN50") is None
    assert clip.cost_of_image("no-such-model") is None


def test_a_run_that_failed_does_not_end_the_one_after_it(capsys):
    """What it left is cleared away late, whenever Python collects it."""
    failed = progress.in_turn(["a", "b"], turns("B", "B"))
    next(failed)
    after = progress.in_turn(["c", "d"], turns("B", "B"))
    next(after)

    failed.close()

    assert list(after) == ["d"]
    assert "model 2 of 2" in capsys.readouterr().err


def test_what_another_process_shows_is_given_to_it_and_not_shown_here(capsys):
    lines, states = [], []

    with progress.relayed(turns("B")[0], lines.append, states.append):
        progress.say("one line")
        take(3, 0.01)
    progress.say("after it")

    assert lines == ["one line"] and capsys.readouterr().err == "after it\n"
    assert states[-1].ended
    [last] = states[-1].passes
    assert (last.name, last.pieces, last.earlier, last.done) == ("decomposing", 3, 1, 2)


def test_models_side_by_side_have_one_bar_with_what_each_is_doing(capsys, monkeypatch):
    monkeypatch.setattr(progress.eta, "words", lambda guess: f"{guess.seconds:.0f} s" if guess else "")
    running = progress.eta.Model("B", passes=(progress.eta.Pass("decomposing", 10, done=5, seconds=20.0),))

    with progress.side_by_side(turns("B", "B", "B"), 2) as display:
        monkeypatch.setattr(display._bar, "mininterval", 0.0)
        for place in (2, 0):
            display.begin(place)
            display.record(place, running)
        display.refresh()
        display.end(2)

    said = capsys.readouterr().err.replace("\r", "\n")
    assert "model 2 of 3, B/weights; 50 s left of all" in said
    assert "0/3" in said and "all 40 s, decomposing 5/10, decomposing 5/10" in said
    assert "1/3" in said.splitlines()[-1]
