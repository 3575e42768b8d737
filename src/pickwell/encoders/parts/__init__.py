"""What encoders are made of: images prepared, networks run."""
