"""What finished cells hold: as runs, and as tables for other programs."""
