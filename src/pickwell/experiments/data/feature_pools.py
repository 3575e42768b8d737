"""Feature vectors in place of images: from a file, from a network, or from the pool's own VAE."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from numpy.typing import NDArray
from torch import Tensor

from pickwell import encoders, models
from pickwell.data import vector_file
from pickwell.data.images import Images, to_float
from pickwell.data.manifest import ROWS, Manifest
from pickwell.data.opening import LIMITS
from pickwell.data.pool import MANIFEST, SOURCES, Pool
from pickwell.data.records import Placed, write_sources
from pickwell.data.sources.parquet import ParquetSet
from pickwell.errors import SettingsError
from pickwell.experiments.data.sets.layout import Layout, Part
from pickwell.features.encoding import encoded
from pickwell.learner import Devices
from pickwell.learner.generators import isolated
from pickwell.seeds import derive
from pickwell.strategies.vaal.losses import negative_elbo, reparameterise
from pickwell.strategies.vaal.networks import VAE

if TYPE_CHECKING:
    from pickwell.experiments.experiment import Experiment

Rows = NDArray[np.float32]
Embed = Callable[[Tensor], Tensor]
BATCH = 256


class Vectors(Images):
    """Vectors `(N, D)`, float32, where a campaign expects images; networks named `linear` and `mlp` take them."""

    def __init__(self, rows: Rows) -> None:
        # Streams size their batches for squares of this side; a square of it has about as many numbers as a vector.
        self.size = max(1, round(rows.shape[1] ** 0.5))
        self.in_memory = True
        self._rows = torch.from_numpy(rows)

    def __len__(self) -> int:
        return len(self._rows)

    def _filled(self, ids: Tensor) -> Tensor:
        return self._rows


def file(part: str) -> str:
    """The name of the file that holds a part's vectors, beside its directory."""
    return f"features-{part}.npy"


def is_file(path: Path) -> bool:
    """Whether the path names a feature file: .npy, .safetensors, Parquet with a column of lists and none of images."""
    if path.suffix in {".npy", ".safetensors"}:
        return True
    if path.suffix != ".parquet" or not path.is_file():
        return False
    kinds = [field.type for field in pq.read_schema(path)]
    return any(map(vector_file.is_list, kinds)) and not any(map(pa.types.is_struct, kinds))


def read(path: Path) -> tuple[Rows, list[str]]:
    """The vectors and labels of a feature file; those of NAME.npy are in NAME.labels.npy beside it."""
    return vector_file.read(path, "label")


def layout(path: Path, directory: Path) -> Layout:
    """A pool in `directory` of the vectors in a file; it names rows, not images."""
    labels = read(path)[1]
    count = len(labels)
    directory.mkdir(parents=True)
    write_sources(directory / SOURCES, [Placed(ParquetSet(path.absolute().parent, path.name))], LIMITS)
    zeros = np.zeros(count, np.int32)  # a manifest has a width and a height; a vector is 1 x 1
    names = [f"{path.stem}/{row:06d}" for row in range(count)]
    columns = [zeros, names, [path.name] * count, np.arange(count), zeros + 1, zeros + 1, labels]
    fields = list(ROWS)[: len(columns)]  # a vector has no file of its own, and so no content
    arrays = [pa.array(column, field.type) for column, field in zip(columns, fields, strict=True)]
    Manifest.write(directory / MANIFEST, pa.table(arrays, schema=pa.schema(fields)))
    return Layout(Part(path))


def write(experiment: "Experiment", folder: Path) -> None:
    """Writes the vectors of pool and test, standardised by the pool's own, if the experiment wants vectors."""
    settings = experiment.data
    if is_file(Path(settings.set)):
        files = {"pool": settings.set, "test": settings.test_set or settings.set}
        found = {part: read(Path(name))[0][np.load(folder / part / "rows.npy")] for part, name in files.items()}
    elif settings.features == "encoder":
        encoder = encoders.load(settings.encoder)
        tables = {
            part: encoded(Pool.open(folder / part), encoder, folder / "encoded" / part) for part in ("pool", "test")
        }
        found = {part: np.concatenate(table.shards()) for part, table in tables.items()}
        shutil.rmtree(folder / "encoded")
    elif settings.features:
        devices = Devices("fp32")
        images = {part: Images(Pool.open(folder / part), experiment.model.image_size) for part in ("pool", "test")}
        vae = settings.features == "vae"
        embed = _vae(experiment, images["pool"], devices) if vae else _network(experiment, devices)
        found = {part: _embedded(source, embed, devices) for part, source in images.items()}
    else:
        return
    # The pool's own figures for both: the test set's would tell of what is measured on.
    mean, scale = found["pool"].mean(0), found["pool"].std(0)
    for part, vectors in found.items():
        np.save(folder / file(part), ((vectors - mean) / np.where(scale > 1e-6, scale, 1)).astype(np.float32))


def _network(experiment: "Experiment", devices: Devices) -> Embed:
    """The penultimate features of a network that has learnt elsewhere; SettingsError where no weights are named."""
    chosen = experiment.data
    if not chosen.weights:
        raise SettingsError(
            "features of a network need one that has learnt something; name its weight file: data.weights, and its "
            f"name: data.network ({', '.join(models.available())})"
        )
    with isolated():
        torch.manual_seed(derive(0, "features"))  # a head of other classes stays fresh
        network = models.load(chosen.network, 2, image_size=experiment.model.image_size, weights=chosen.weights)
    return devices.setup(network).eval().embed


def _vae(experiment: "Experiment", images: Images, devices: Devices) -> Embed:
    """The means of the posterior of a VAE that has learnt the pool's images, no label among them."""
    settings = experiment.data
    with isolated():
        # Seed 0 whatever the cell: all seeds and methods share one set of features.
        torch.manual_seed(derive(0, "features"))
        vae = devices.setup(VAE(experiment.model.image_size, settings.feature_size))
        optimiser = devices.adam(vae, 1e-3)
        for _ in range(settings.feature_steps):
            batch = to_float(devices.put(images.get(torch.randint(len(images), (128,)))))
            mu, logvar = vae.encode(batch)
            loss = negative_elbo(batch, vae.decode(reparameterise(mu, logvar)), mu, logvar)
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            optimiser.step()
    vae.eval()
    return lambda pixels: vae.encode(pixels)[0]


@torch.inference_mode()
def _embedded(images: Images, embed: Embed, devices: Devices) -> Rows:
    batches = images.batches(torch.arange(len(images)), BATCH)
    parts = [embed(to_float(devices.put(pixels))).float().cpu().numpy() for _, pixels in batches]
    return np.concatenate(parts)
