"""Feature files: places and tags, named the same way whatever reads them."""
