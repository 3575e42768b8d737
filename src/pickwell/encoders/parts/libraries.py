"""What the sources that stand on another library share: how it is found, and an encoder of what it loads."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pickwell.encoders.encoder import Encoder, Facts, Pixels, digest
from pickwell.errors import EncoderError, PickwellError

LICENCE = "as its authors say"
Transform = Callable[[Image.Image], Any]
"""A library's own preprocessing: a picture to a tensor `(3, H, W)`."""


def facts(source: str, what: str, library: str, extra: str) -> list[Facts]:
    """One row for all encoders of a library."""
    there = find_spec(library) is not None
    return [Facts(source, what, None, LICENCE, None, there, _command(extra))]


def imported(library: str, extra: str) -> Any:
    """The library; EncoderError with the command where it is not installed, or does not work here."""
    try:
        return import_module(library)
    except ModuleNotFoundError as error:
        raise EncoderError(
            f"encoders of {library} need {error.name}, which is not installed; bring it with: {_command(extra)}"
        ) from None
    except Exception as error:  # torchvision beside another torch raises a RuntimeError
        raise EncoderError(
            f"{library} is installed and cannot be imported ({_first_line(error)}); install it in an environment whose "
            f"torch it was built for: {_command(extra)}"
        ) from error


@contextmanager
def loading(name: str, command: str) -> Iterator[None]:
    """Turns what a library raises as it looks for weights into an EncoderError with the command that brings them."""
    import torch

    try:
        with torch.random.fork_rng(devices=[]):  # libraries draw fresh weights first
            yield
    except PickwellError:
        raise
    except Exception as error:  # nearly anything: the network, the hub's client, a damaged file, a name
        raise EncoderError(
            f"{name} cannot be loaded ({type(error).__name__}: {_first_line(error)}); check the name, and fetch its "
            f"weights on a machine that reaches them: {command}"
        ) from error


def built(
    name: str, network: Any, features: Callable[[Any], Any], transform: Transform, *,
    stated: object, least: int, licence: str = "",
) -> Encoder:  # fmt: skip
    """An encoder of a library's network; `stated` says its preprocessing in words, as part of the identity."""
    from pickwell.encoders.parts.modules import Module, weights_digest
    from pickwell.encoders.parts.network_encoder import NetworkEncoder

    def prepare(pixels: Pixels) -> NDArray[np.float32]:
        found: NDArray[np.float32] = transform(Image.fromarray(np.ascontiguousarray(pixels))).numpy()
        return found

    run = Module(network, features)
    parts = (weights_digest(network.state_dict()), _anywhere(network), _anywhere(stated), run.precision)
    return NetworkEncoder(
        name, prepare, run, least=least, identity=digest(*parts),
        licence=licence or LICENCE,
    )  # fmt: skip


def _anywhere(described: object) -> str:
    """An object in its own words, without the places in memory that differ from one process to the next."""
    return re.sub(r" at 0x[0-9a-f]+", "", str(described))


def _command(extra: str) -> str:
    return f"pip install 'pickwell[{extra}]'"


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or ["no reason given"])[0][:200]
