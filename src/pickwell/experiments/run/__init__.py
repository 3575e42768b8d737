"""Running cells: one after another or side by side, resumed, locked, refused beforehand."""
