"""What several rooms of the engine share, and what knows none of them."""
