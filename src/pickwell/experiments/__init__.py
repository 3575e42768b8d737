"""The paper's experiments by name, run in cells that resume, and judged by statistics one can trust."""
