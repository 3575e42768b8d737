"""What a campaign's model says of images that nobody has labelled."""
