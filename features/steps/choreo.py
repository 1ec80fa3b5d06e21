"""Makes the vocabulary of choreo_bdd known to behave."""

from choreo_bdd_steps.adapters.behave import use_choreo

use_choreo()
