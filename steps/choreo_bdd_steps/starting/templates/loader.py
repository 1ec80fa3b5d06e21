"""Makes the vocabulary of choreo-bdd known to behave; pytest needs nothing."""

from choreo_bdd_steps.adapters.behave import use_choreo

use_choreo()
