"""Figures, the one-file HTML report and the live table; plain values in, no torch."""
