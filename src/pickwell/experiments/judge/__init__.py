"""What finished cells show: tables of results, and what may be claimed from them."""
