"""What an editor asks about a feature file: answers from the phrases and from lint, and a server that gives them."""
