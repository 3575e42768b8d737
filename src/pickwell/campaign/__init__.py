"""One labelling effort: its directory and its loop."""

from pickwell.campaign.campaign import Campaign
from pickwell.campaign.creation import create

__all__ = ["Campaign", "create"]
