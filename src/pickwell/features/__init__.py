"""The table of features: every image is looked at once by an encoder, and what it gave is kept."""
