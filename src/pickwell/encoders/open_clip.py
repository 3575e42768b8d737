"""The image halves of CLIP networks that were trained openly, with OpenCLIP's own weights and preprocessing.

Use when: features that know words are wanted: photographs of any kind, drawings, products.
Source: Radford et al. 2021; Ilharco et al. 2021, OpenCLIP.
"""

from pickwell.encoders.encoder import Encoder, Facts
from pickwell.encoders.parts import libraries
from pickwell.errors import EncoderError

LOCATIONS = ("hf-hub", "local-dir")
"""Prefixes of names that bring their weights with them."""


def facts() -> list[Facts]:
    """One row for all names."""
    return libraries.facts(
        "open_clip:NAME:WEIGHTS", "a CLIP of OpenCLIP, hf-hub:NAME or local-dir:FOLDER", "open_clip", "open-clip"
    )


def load(name: str) -> Encoder:
    """The image half of a network, as "ViT-B-32:laion2b_s34b_b79k", "hf-hub:NAME" or "local-dir:FOLDER"."""
    library = libraries.imported("open_clip", "open-clip")
    model, _, weights = (name, "", None) if name.startswith(LOCATIONS) else name.partition(":")
    command = f"python -c \"import open_clip; open_clip.create_model('{model}', pretrained={weights or None!r})\""
    with libraries.loading(f"open_clip:{name}", command):
        if weights == "":
            tags = ", ".join(library.list_pretrained_tags_by_model(model)) or "none are known, so name a file of them"
            raise EncoderError(f"open_clip:{model} says not which weights; add them, as open_clip:{model}:TAG: {tags}")
        # Without weights OpenCLIP would go on with fresh ones.
        network, _, transform = library.create_model_and_transforms(model, pretrained=weights or None)
    least = max(_sides(network.visual.image_size))
    return libraries.built(
        f"open_clip:{name}", network.visual, network.encode_image, transform, stated=transform, least=least
    )


def _sides(size: int | tuple[int, int]) -> tuple[int, int]:
    return (size, size) if isinstance(size, int) else size
