"""A campaign's model for programs without pickwell: one file that says of itself what it is."""

import json
from importlib.metadata import version
from pathlib import Path
from typing import Any

import tomli_w
from onnx import ModelProto, helper
from safetensors.torch import save_file

from pickwell.encoders import Encoder
from pickwell.errors import LabelError, SettingsError
from pickwell.features.vectors import Vectors
from pickwell.formats.exchange.paths import appearing
from pickwell.models.vectors import Logistic
from pickwell.prediction.model_graph import with_head
from pickwell.prediction.predictor import Predictor


class ModelFile:
    """Encoder and head, ready to be written; SettingsError where the model is no head on an encoder's features."""

    def __init__(self, predictor: Predictor) -> None:
        campaign, network = predictor.campaign, predictor.learner.members[0]
        encoder, seen = campaign.encoder, campaign.images
        if not isinstance(encoder, Encoder) or not isinstance(network, Logistic) or not isinstance(seen, Vectors):
            chosen = campaign.settings
            raise SettingsError(
                f"a model is handed over as an encoder and a logistic head, and this campaign has {chosen.model.name} "
                f'and encoder {chosen.encoder}; set encoder = "lite0" (or another: pickwell encoders) and '
                'model.name = "logistic" in its campaign.toml'
            )
        self.predictor, self.encoder, self.seen, self.network = predictor, encoder, seen, network

    def facts(self) -> dict[str, Any]:
        """What the file says of itself."""
        campaign = self.predictor.campaign
        metrics = campaign.learnt().metrics
        return {
            "name": campaign.settings.name,
            "classes": list(campaign.settings.task.classes),
            "preprocessing": dict(self.encoder.graph().entrance),
            "encoder": self.encoder.name,
            "encoder_licence": self.encoder.licence,
            "measured": {**metrics.values, "images": metrics.measured},
            "labels": metrics.labels,
            "strategy": str(campaign.settings.strategy["name"]),
            "temperature": self.predictor.temperature,
            "pickwell": version("pickwell"),
        }

    def onnx(self) -> ModelProto:
        """One graph: prepared images in, features and calibrated probabilities out; EncoderError if there is none.

        Its metadata are `facts`, as JSON where they are no texts.
        """
        graph = self.encoder.graph()
        model: ModelProto = ModelProto.FromString(graph.model)
        weight, bias = (values.cpu().numpy() for values in self.network.solution())
        scale = self.seen.mean.numpy(), self.seen.scale.numpy()
        with_head(model, graph.output, scale, (weight, bias), self.predictor.temperature)
        helper.set_model_props(model, {name: _text(value) for name, value in self.facts().items()})
        return model

    def write(self, path: Path) -> None:
        """Writes `.onnx`; or as `.safetensors` the head alone, with `facts` in a `.toml` beside it.

        Whole or not at all. LabelError where something is there already, or the name ends otherwise.
        """
        if path.suffix == ".onnx":
            with appearing(path) as new:
                new.write_bytes(self.onnx().SerializeToString())
        elif path.suffix == ".safetensors":
            weight, bias = self.network.solution()
            with appearing(path.with_suffix(".toml")) as beside, appearing(path) as new:
                save_file({"weight": weight, "bias": bias, "mean": self.seen.mean, "scale": self.seen.scale}, new)
                beside.write_text(tomli_w.dumps(self.facts()), encoding="utf-8")
        else:
            raise LabelError(f"{path} is neither .onnx nor .safetensors; name a file that ends so")


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
