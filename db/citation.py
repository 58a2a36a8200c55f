"""Citations of a bundle, of Headlight and of the papers it stands on, as BibTeX; more in CITATION.cff."""

from typing import Any

from db import __version__

PAPER = "https://arxiv.org/abs/2409.06579"
"""The paper whose metrics and analyses Headlight re-implements."""

HEADLIGHT = f"""\
@software{{headlight,
  title = {{Headlight}},
  author = {{{{Headlight contributors}}}},
  version = {{{__version__}}},
  license = {{MIT}}
}}"""

PAPERS = """\
@inproceedings{gandelsman2024interpreting,
  title = {Interpreting {CLIP}'s Image Representation via Text-Based Decomposition},
  author = {Gandelsman, Yossi and Efros, Alexei A. and Steinhardt, Jacob},
  booktitle = {International Conference on Learning Representations},
  year = {2024},
  url = {https://arxiv.org/abs/2310.05916}
}

@article{madasu2024quantifying,
  title = {Quantifying and Enabling the Interpretability of {CLIP}-like Models},
  author = {Madasu, Avinash and Gandelsman, Yossi and Lal, Vasudev and Howard, Phillip},
  journal = {arXiv preprint arXiv:2409.06579},
  year = {2024},
  url = {https://arxiv.org/abs/2409.06579}
}"""


def bibtex() -> str:
    """Returns the entries of Headlight, of the decomposition with TEXTSPAN, and of CLIP-InterpreT."""
    return f"{HEADLIGHT}\n\n{PAPERS}\n"


def bundle_entry(facts: dict[str, Any], name: str) -> str:
    """Returns the BibTeX entry of a bundle, by its identity."""
    safe = "".join(letter if letter.isalnum() or letter in " .,-_" else "-" for letter in name).replace(
        "_", "\\_"
    )
    models = sum(not model["is_control"] for model in facts["models"])
    return (
        f"@misc{{headlight-{facts['input_id'][:12]},\n"
        f"  title = {{Attention heads of {models} models over {safe}, decomposed by Headlight}},\n"
        f"  year = {{{facts['created_at'][:4]}}},\n"
        f"  note = {{Headlight bundle {facts['input_id']}}}\n}}"
    )
