"""Regular expressions that come from outside: none that takes exponential time, and each in bounded time."""
