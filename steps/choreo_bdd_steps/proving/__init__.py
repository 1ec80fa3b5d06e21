"""Proof that checks can fail: green scenarios judged again on traffic that was spoilt (docs/prove.md)."""
