"""Contracts and fakes: shipped, so that authors of plug-ins run them too."""
