"""What the page shows of segmentation, and the API of masks: drawn, standing, and as the model would draw them.

A mask travels as its bytes, a pixel each, row by row, compressed with zlib: a PNG made by a browser's canvas may have
been through its colour management, these bytes have not.
"""

import binascii
import os
import zlib
from base64 import b64decode
from collections.abc import Mapping
from threading import BoundedSemaphore
from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Request, Response
from pydantic import Field, StringConstraints

from pickwell.campaign.open_campaign import OpenCampaign
from pickwell.errors import LabelError
from pickwell.items import Kind
from pickwell.tasks.segmentation.label_maps import Mask
from pickwell.tasks.segmentation.predictions import Predictions
from pickwell.tasks.segmentation.segmentation import Segmentation
from pickwell.web.api import Address, AtDesk, AtLoop, Event, Item, Number, Opened, Seconds, acknowledged, who
from pickwell.web.desk import source
from pickwell.web.security import LARGER
from pickwell.web.task_page import TaskPage

router = APIRouter()
# As many masks are unpacked at once as there are cores: large ones take much memory.
_at_work = BoundedSemaphore(os.cpu_count() or 1)


class Drawn(Event):
    """A mask of one item: `mask` is base64 of its zlib-compressed bytes, W x H of them, row by row.

    A byte is a class's place in the list, or 255 where nothing is said. The suggestion counts as used when the mask
    was drawn upon the model's prediction.
    """

    item: Item
    mask: str = Field(max_length=LARGER["/api/masks"])
    seconds: Seconds | None = None
    via: Annotated[str, StringConstraints(pattern="^(page|api)$")] = "api"
    suggestion_seen: bool = False
    suggestion_used: bool = False


@router.post("/masks")
def tell_mask(request: Request, body: Drawn, at: AtDesk, then: AtLoop) -> Mapping[str, Any]:
    """Labels an item with a mask, of its image's own size. When this answers, mask and label are on the disk."""
    ((width, height),) = at.campaign.answers.sizes([body.item])
    with _at_work:
        mask = unpacked(body.mask, width, height)
        how = source(body.via, seen=body.suggestion_seen, used=body.suggestion_used)
        asker, seconds = who(request, body), body.seconds
        told = at.tell(asker, [body.item], Kind.ANSWER, mask, body.event, seconds=seconds, source=how)
    return acknowledged(told, at, then)


def unpacked(text: str, width: int, height: int) -> Mask:
    """The mask in a request; LabelError where it is none of that size. No more is decompressed than is wanted."""
    wanted, stream = width * height, zlib.decompressobj()
    try:
        found = stream.decompress(b64decode(text, validate=True), wanted + 1)
    except (binascii.Error, ValueError, zlib.error) as error:
        raise LabelError(f"the mask cannot be unpacked ({error}); send base64 of zlib-compressed bytes") from None
    if len(found) != wanted or not stream.eof or stream.unused_data:
        size = "more" if len(found) > wanted else f"{len(found):,}"
        raise LabelError(
            f"the mask has {size} bytes, or was cut off; it must have {wanted:,} ({width} x {height}): one a pixel"
        )
    return np.frombuffer(found, dtype=np.uint8).reshape(height, width)


@router.get("/masks/{item}", response_class=Response)
def mask(at: Opened, item: Address) -> Response:
    """The mask that stands of an item, as W x H bytes, row by row; 404 where there is none."""
    found = at.store.labels([item]).values
    return _sent(_task(at).masks.get(found[0]) if found else None)


@router.get("/rounds/{number}/predictions/{item}", response_class=Response)
def prediction(at: Opened, number: Number, item: Address) -> Response:
    """The mask that the model predicted of a pick, as W x H bytes, row by row; 404 where there is none."""
    if item >= len(at.pool):
        return Response(status_code=404)
    width, height = at.pool.manifest.sizes([item])[0].tolist()
    found = Predictions(at.directory.rounds).of(number, item, (width, height), len(at.task.classes))
    return _sent(found)


def _has_prediction(at: OpenCampaign, number: int, item: int) -> Mapping[str, bool]:
    return {"prediction": Predictions(at.directory.rounds).has(number, item)}


def _task(at: OpenCampaign) -> Segmentation:
    assert isinstance(at.task, Segmentation)
    return at.task


def _sent(found: Mask | None) -> Response:
    if found is None:
        return Response(status_code=404)
    # What HTTP calls deflate is zlib's format: a browser unpacks it by itself.
    headers = {"Content-Encoding": "deflate", "X-Size": f"{found.shape[1]} x {found.shape[0]}"}
    packed = zlib.compress(found.tobytes(), 1)
    return Response(packed, media_type="application/octet-stream", headers=headers)


PAGE = TaskPage(
    {"label": "draw", "grid": "no_grid"}, coloured=True, drawn_on=True, facts=_has_prediction, router=router
)
