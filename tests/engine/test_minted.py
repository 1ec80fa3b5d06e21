"""Ids of scenarios are known for what they are, and others are not."""

from __future__ import annotations

import subprocess
import sys
import uuid

import pytest

from choreo_bdd import DictFieldPolicy, IdentityBridge, MappedBridge
from choreo_bdd.correlation import FieldPolicy, HeaderPolicy, TraceparentPolicy
from choreo_bdd.shared.minted import claim, is_minted_elsewhere, is_minted_here, minted
from tests.support.engine_doubles import ELSEWHERE


@pytest.mark.parametrize(
    "policy",
    [DictFieldPolicy(prefix="TEST-"), FieldPolicy("order.id"), HeaderPolicy(), TraceparentPolicy()],
    ids=lambda policy: type(policy).__name__,
)
async def test_the_ids_of_policies_are_of_here(policy: DictFieldPolicy) -> None:
    made = {str(await policy.new_id()) for _ in range(50)}
    assert len(made) == 50
    assert all(map(is_minted_here, made))
    assert not any(map(is_minted_elsewhere, made))


async def test_the_ids_of_bridges_are_of_here() -> None:
    assert is_minted_here(await IdentityBridge().fresh())
    assert is_minted_here(await MappedBridge({}).fresh())


def test_those_of_other_processes_are_known() -> None:
    command = [sys.executable, "-c", "from choreo_bdd.shared.minted import minted; print(minted())"]
    drawn = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    for each in (ELSEWHERE, f"TEST-{ELSEWHERE}", drawn):
        assert (is_minted_here(each), is_minted_elsewhere(each)) == (False, True)


def test_one_of_elsewhere_that_is_claimed_is_of_here() -> None:
    claim(ELSEWHERE)
    try:
        assert (is_minted_here(ELSEWHERE), is_minted_elsewhere(ELSEWHERE)) == (True, False)
    finally:
        for _ in range(1000):
            minted()
    assert not is_minted_here(ELSEWHERE), "only the last 1,000 are remembered"


def test_those_of_services_are_neither() -> None:
    others = [uuid.uuid4().hex for _ in range(2000)]
    assert sum(map(is_minted_elsewhere, others)) <= 2
    odd = ("", "7", "other-7", minted()[:-1], minted().replace("0", "x") + "z", "é" * 32)
    assert not any(is_minted_here(each) or is_minted_elsewhere(each) for each in odd)
