"""Picks the images worth labelling."""
