"""What the formats share: the values they hand over, names, bounded files, colours, shapes and run lengths."""
