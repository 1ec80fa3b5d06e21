"""The way in: decode once, read the id once, route to whoever listens."""
