"""Regular expressions that come from outside: refused where they could take exponential time, and matched in bounded."""
