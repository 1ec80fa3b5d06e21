"""Templates: `{{ … }}` in a text, the functions it may call and the variables it may name."""
