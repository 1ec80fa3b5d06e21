"""The environment allowlist."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from choreo_bdd.environment import (
    Allowlist,
    AllowlistConfigError,
    AllowlistError,
    HostNotInAllowlist,
    is_listed,
    load_allowlist,
)
from choreo_bdd.transports import MockTransport, TransportError

Write = Callable[[str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(text: str) -> Path:
        path = tmp_path / "allowlist.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


class TestFile:
    def test_categories_become_tuples_of_text(self, write: Write) -> None:
        path = write("nats_servers: [nats://a:4222, nats://b:4222]\n7: [true, null, 5]\nnone: []\n")
        allowlist = load_allowlist(path)
        assert allowlist.get("nats_servers") == ("nats://a:4222", "nats://b:4222")
        assert allowlist.get("7") == ("True", "None", "5")
        assert allowlist.get("none") == ()
        assert allowlist.get("unheard of") == ()
        assert allowlist.source_path == path

    def test_a_text_path_will_do(self, write: Write) -> None:
        assert load_allowlist(str(write("a: [b]"))).get("a") == ("b",)

    @pytest.mark.parametrize("text", ["", "# nothing\n", "{}", "[]", "false"])
    def test_an_empty_document_permits_nothing(self, write: Write, text: str) -> None:
        assert load_allowlist(write(text)).categories == {}

    @pytest.mark.parametrize(("text", "found"), [("- a\n- b\n", "list"), ("just text", "str"), ("7", "int")])
    def test_what_is_no_mapping_is_refused_with_path_and_type(self, write: Write, text: str, found: str) -> None:
        path = write(text)
        with pytest.raises(AllowlistConfigError) as caught:
            load_allowlist(path)
        assert str(path) in str(caught.value)
        assert found in str(caught.value)

    @pytest.mark.parametrize(("value", "found"), [("a: b", "str"), ("a:", "NoneType"), ("a: {b: c}", "dict")])
    def test_a_value_that_is_no_list_is_refused_with_path_category_and_type(
        self, write: Write, value: str, found: str
    ) -> None:
        path = write(value)
        with pytest.raises(AllowlistConfigError) as caught:
            load_allowlist(path)
        assert all(part in str(caught.value) for part in (str(path), "'a'", found))

    @pytest.mark.parametrize("text", ["a: [b", "a: !!python/object:os.system [b]"])
    def test_what_is_no_safe_yaml_is_refused_with_its_path(self, write: Write, text: str) -> None:
        path = write(text)
        with pytest.raises(AllowlistConfigError, match=r"allowlist\.yaml"):
            load_allowlist(path)

    def test_a_missing_file_is_file_not_found(self, tmp_path: Path) -> None:
        with pytest.raises(FileNotFoundError):
            load_allowlist(tmp_path / "missing.yaml")

    def test_errors_have_one_base_that_is_no_transport_error(self) -> None:
        for each in (HostNotInAllowlist, AllowlistConfigError):
            assert issubclass(each, AllowlistError)
            assert not issubclass(each, TransportError)


class TestEnforce:
    def test_a_listed_value_passes(self) -> None:
        Allowlist({"c": ("x", "y")}).enforce("c", ["y", "x"], label="server")

    def test_the_first_refused_value_is_named_with_label_and_file(self, tmp_path: Path) -> None:
        allowlist = Allowlist({"c": ("x",)}, tmp_path / "list.yaml")
        with pytest.raises(HostNotInAllowlist) as caught:
            allowlist.enforce("c", ["x", "bad-1", "bad-2"], label="Kafka broker")
        text = str(caught.value)
        assert all(part in text for part in ("Kafka broker", "bad-1", str(tmp_path / "list.yaml"), "'c'"))
        assert "bad-2" not in text

    def test_an_unknown_or_empty_category_permits_nothing(self) -> None:
        for allowlist in (Allowlist(), Allowlist({"c": ()})):
            with pytest.raises(HostNotInAllowlist):
                allowlist.enforce("c", ["x"], label="server")

    def test_a_normalised_value_counts_too(self) -> None:
        allowlist = Allowlist({"c": ("host:9092",)})
        allowlist.enforce("c", ["ssl://host:9092"], label="broker", normalise=lambda text: text.split("://")[-1])
        with pytest.raises(HostNotInAllowlist):
            allowlist.enforce("c", ["ssl://host:9092"], label="broker")

    @pytest.mark.parametrize(
        ("listed", "given", "passes"),
        [
            ("nats://127.0.0.1:*", "nats://127.0.0.1:43321", True),
            ("amqp://guest:guest@localhost:*/", "amqp://guest:guest@localhost:5672/", True),
            ("redis://[::1]:*/0", "redis://[::1]:6379/0", True),
            ("127.0.0.1:*", "127.0.0.1:9092", True),
            ("nats://127.0.0.1:*", "nats://127.0.0.11:4222", False),
            ("nats://127.0.0.1:*", "nats://127.0.0.1:4222@prod.example:4222", False),
            ("nats://127.0.0.1:*", "nats://127.0.0.1:4222/x", False),
            ("nats://127.0.0.1:*", "nats://127.0.0.1", False),
            ("nats://127.0.0.1:*", "nats://127.0.0.1:٤", False),
            ("nats://*:4222", "nats://prod:4222", False),
            ("amqp://guest:*@host:5672/", "amqp://guest:1@host:5672/", False),
        ],
    )
    def test_a_star_stands_for_any_port_and_for_nothing_else(self, listed: str, given: str, *, passes: bool) -> None:
        assert is_listed(given, [listed]) is passes
        assert is_listed(listed, [listed])

    def test_a_star_is_told_as_it_is_listed(self) -> None:
        with pytest.raises(HostNotInAllowlist, match=r"permits nats://127\.0\.0\.1:\* under"):
            Allowlist({"c": ("nats://127.0.0.1:*",)}).enforce("c", ["nats://prod:4222"], label="NATS server")

    def test_no_password_is_printed(self) -> None:
        allowlist = Allowlist({"c": ("redis://user:listed-s3cr3t@a:6379",)})
        with pytest.raises(HostNotInAllowlist) as caught:
            allowlist.enforce("c", ["redis://user:given-s3cr3t@b:6379/0"], label="Redis server")
        assert "s3cr3t" not in str(caught.value)
        assert "b:6379" in str(caught.value)

    def test_it_is_frozen(self) -> None:
        with pytest.raises(AttributeError):
            Allowlist().source_path = Path("x")  # type: ignore[misc] # the mistake under test


class TestMemoryBus:
    async def test_an_endpoint_that_is_not_listed_is_refused_on_connect(self, write: Write) -> None:
        path = write("mock_endpoints: [mock://allowed]")
        await MockTransport(allowlist_path=path, endpoint="mock://allowed").connect()
        with pytest.raises(HostNotInAllowlist, match="mock://other"):
            await MockTransport(allowlist_path=path, endpoint="mock://other").connect()

    async def test_without_path_or_endpoint_nothing_is_checked(self, tmp_path: Path) -> None:
        await MockTransport(endpoint="mock://anything").connect()
        await MockTransport(allowlist_path=tmp_path / "missing.yaml").connect()

    async def test_the_file_is_read_again_on_every_connect(self, write: Write) -> None:
        transport = MockTransport(allowlist_path=write("mock_endpoints: [a]"), endpoint="b")
        with pytest.raises(HostNotInAllowlist):
            await transport.connect()
        write("mock_endpoints: [b]")
        await transport.connect()
