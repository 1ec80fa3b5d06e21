"""Ids of scenarios are known for what they are, and others are not."""

from __future__ import annotations

import uuid

import pytest

from choreo_bdd import DictFieldPolicy, IdentityBridge, MappedBridge
from choreo_bdd.correlation import FieldPolicy, HeaderPolicy, TraceparentPolicy
from choreo_bdd.shared.minted import is_minted, minted


@pytest.mark.parametrize(
    "policy",
    [DictFieldPolicy(prefix="TEST-"), FieldPolicy("order.id"), HeaderPolicy(), TraceparentPolicy()],
    ids=lambda policy: type(policy).__name__,
)
async def test_the_ids_of_policies_are(policy: DictFieldPolicy) -> None:
    made = {str(await policy.new_id()) for _ in range(50)}
    assert len(made) == 50
    assert all(map(is_minted, made))


async def test_the_ids_of_bridges_are() -> None:
    assert is_minted(await IdentityBridge().fresh())
    assert is_minted(await MappedBridge({}).fresh())


def test_those_of_services_are_not() -> None:
    others = [uuid.uuid4().hex for _ in range(2000)]
    assert sum(map(is_minted, others)) <= 2
    assert not any(map(is_minted, ("", "7", "other-7", minted()[:-1], minted().replace("0", "x") + "z", "é" * 32)))
