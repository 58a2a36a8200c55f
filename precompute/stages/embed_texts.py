"""Embeddings of the text pool and of the class prompts by one model."""

from pathlib import Path

from jaxtyping import Float
from torch import Tensor

from precompute import clip
from precompute.inputs import prompts
from precompute.runtime import work_files
from precompute.runtime.method_versions import METHOD_VERSIONS
from precompute.stages.read_inputs import RunInputs


def embed_texts(
    model: clip.Clip, inputs: RunInputs, directory: Path
) -> tuple[Float[Tensor, "text d_out"], Float[Tensor, "value d_out"]]:
    """Returns unit-length embeddings of the texts and of the class prompts, computed or loaded.

    Raises:
        TextError: the model cannot read a text; names its line.
    """
    texts, version = inputs.pool.texts, METHOD_VERSIONS["texts"]
    pool = directory / f"texts-{work_files.key_of(version, texts)}.safetensors"
    classes = directory / f"classes-{work_files.key_of(version, inputs.class_prompts)}.safetensors"
    of_texts = work_files.load_or_compute(pool, lambda: {"text": clip.encode_text(model, texts)})
    of_classes = work_files.load_or_compute(classes, lambda: _embed_classes(model, inputs))
    return of_texts["text"], of_classes["text"]


def _embed_classes(model: clip.Clip, inputs: RunInputs) -> dict[str, Tensor]:
    for attribute, value, text in inputs.class_prompts:
        try:
            clip.check_text(model, text)
        except clip.TextError as error:
            line = prompts.where(inputs.prompts, attribute, value)
            advice = "" if inputs.prompts != prompts.DEFAULT else " Give --prompts, or --no-class-folders."
            raise clip.TextError(f"{line} ({attribute} {value!r}, {text!r}): {error}{advice}") from error
    return {"text": clip.encode_text(model, [prompt.text for prompt in inputs.class_prompts])}
