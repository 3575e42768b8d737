"""The labelling page, the dashboard and their JSON API; the pool and the store only, never torch."""

from pickwell.web.application import create_app
from pickwell.web.desk import Desk

__all__ = ["Desk", "create_app"]
