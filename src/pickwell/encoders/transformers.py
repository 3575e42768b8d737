"""Vision networks of Hugging Face's transformers, by their name on the hub or from a folder.

Use when: features that were learnt without labels, or with texts, are wanted: DINOv2, SigLIP, CLIP.
Source: Wolf et al. 2020, transformers.

A vector is what the network itself calls the image's features or its pooled output, else its first token.
"""

from typing import Any

from pickwell.encoders.encoder import Encoder, Facts
from pickwell.encoders.parts import libraries
from pickwell.errors import EncoderError

LEAST = 1024
"""Images are decoded at least so large where a processor does not say what it resizes to."""


def facts() -> list[Facts]:
    """One row for all names."""
    return libraries.facts(
        "transformers:NAME-OR-PATH", "a vision network of the hub, or a folder", "transformers", "transformers"
    )


def load(name: str, **options: Any) -> Encoder:
    """The network and processor that AutoModel and AutoImageProcessor load; `options` are handed to AutoModel."""
    library = libraries.imported("transformers", "transformers")
    with libraries.loading(f"transformers:{name}", f"hf download {name}"):
        network = library.AutoModel.from_pretrained(name, **options)
        processor = library.AutoImageProcessor.from_pretrained(name)

    def transform(image: Any) -> Any:
        return processor(images=image, return_tensors="pt")["pixel_values"][0]

    return libraries.built(
        f"transformers:{name}", network, lambda images: _features(network, images, name), transform,
        stated=processor.to_json_string(), least=_least(processor),
    )  # fmt: skip


def _features(network: Any, images: Any, name: str) -> Any:
    joint = hasattr(network, "get_image_features")  # networks of images and texts
    said = network.get_image_features(pixel_values=images) if joint else network(pixel_values=images)
    if hasattr(said, "flatten"):
        return said
    pooled = getattr(said, "pooler_output", None)
    if pooled is not None:
        return pooled.flatten(1)  # of convolutional networks it is (B, D, 1, 1)
    if (tokens := getattr(said, "last_hidden_state", None)) is None:
        raise EncoderError(f"transformers:{name} says no features of an image; choose a vision network")
    return tokens[:, 0]


def _least(processor: Any) -> int:
    sizes = [getattr(processor, key, None) or {} for key in ("size", "crop_size")]
    return max((side for size in sizes for side in dict(size).values() if isinstance(side, int)), default=LEAST)
