"""Variables that are named like something of ours say so."""

from __future__ import annotations

import pytest

from tests.support.step_bench import Bench


@pytest.mark.parametrize(
    ("steps", "told"),
    [
        (('Given self is "x"', 'When I publish "a"'), "features/play.feature:3: no variable can be called 'self'"),
        (
            ('Given uuid is "x"', 'When I publish "a":\n  n: "{{ uuid() }}"'),
            "the variable 'uuid' hides the function uuid()",
        ),
        (
            ("Given index is 5", 'When I publish 2 "a" messages:\n  n: "{{ index }}"'),
            "the variable 'index' cannot be seen here, where {{ index }} is the number of a burst's message",
        ),
        (
            (
                'Given trigger is "x"',
                'Given a service that answers "q" with "r":\n  n: "{{ trigger.n }}"',
                'When I publish "q":\n  n: 1',
            ),
            "the variable 'trigger' cannot be seen here",
        ),
    ],
)
def test_a_name_that_is_taken_is_told(bench: Bench, steps: tuple[str, ...], told: str) -> None:
    assert told in bench.play(*steps, 'Then I expect "r"').message


def test_a_variable_called_like_a_function_is_one_where_it_is_no_call(bench: Bench) -> None:
    bench.play('Given now is "x"', 'When I publish "a":\n  n: "{{ now }}"', 'Then I expect "a" where n is "x"').passed()
