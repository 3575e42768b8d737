"""Intervals, areas under curves and corrected comparisons: each number has its one definition here."""
