"""Segmentation: one class a pixel."""
