"""Errors over HTTP: one kind of body, a status that fits, and nothing from inside."""

import logging
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import httpx
import pytest
from fastapi import FastAPI, Query
from pydantic import BaseModel

from payergraph import errors
from payergraph.api import problems
from payergraph.errors import CallError, LimitError, PayergraphError, StoreError
from payergraph.server import listen

if TYPE_CHECKING:
    from tests.conftest import Server

MEMBERS = {"type", "title", "status", "detail", "instance"}


class Body(BaseModel):
    number: int


@pytest.fixture(scope="module")
def client(serve_app: Callable[[FastAPI], httpx.Client]) -> httpx.Client:
    app = FastAPI()
    problems.install(app)

    @app.get("/number")
    async def number(value: Annotated[int, Query(le=10)]) -> int:
        return value

    @app.post("/body")
    async def body(content: Body) -> Body:
        return content

    @app.get("/ours")
    async def ours(name: str) -> None:
        raise EXAMPLES[name]

    @app.get("/fault")
    async def fault() -> None:
        raise RuntimeError("secret inside: /root/store")

    return serve_app(app)


EXAMPLES: dict[str, PayergraphError] = {
    "ParameterError": errors.ParameterError("date", "is no date", allowed=["2024-01-01"]),
    "NotFoundError": errors.NotFoundError("query", "stances", close=["stances-on-a-code"]),
    "QuerySyntaxError": errors.QuerySyntaxError("stopped", line=2, column=3),
    "QueryRefusedError": errors.QueryRefusedError("no"),
    "NotAcceptableError": errors.NotAcceptableError("image/png", ["text/turtle"]),
    "UnsupportedMediaTypeError": errors.UnsupportedMediaTypeError("image/png", ["text/turtle"]),
    "BodyTooLargeError": errors.BodyTooLargeError(10),
    "SourceSyntaxError": errors.SourceSyntaxError("body", "stopped", line=1),
    "StoreError": StoreError("no snapshot"),
    "LimitError": LimitError("slow", retry_after=7),
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_our_errors_carry_their_facts(client: httpx.Client, name: str) -> None:
    response = client.get("/ours", params={"name": name})
    error = EXAMPLES[name]
    body = response.json()
    assert response.status_code == body["status"] == error.status
    assert response.headers["content-type"] == problems.MEDIA_TYPE
    assert body.keys() == MEMBERS | error.members.keys()
    assert (body["title"], body["detail"]) == (error.title, error.detail)
    assert body["instance"].endswith(response.headers["x-request-id"])


def test_every_limit_says_when_to_come_back(client: httpx.Client) -> None:
    assert client.get("/ours", params={"name": "LimitError"}).headers["retry-after"] == "7"
    assert client.get("/ours", params={"name": "StoreError"}).headers["retry-after"] == "10"


def test_a_wrong_parameter_is_named_without_its_value(client: httpx.Client) -> None:
    response = client.get("/number", params={"value": "patient-name"})
    assert response.status_code == 400
    assert response.json()["errors"][0]["parameter"] == "value"
    assert "patient-name" not in response.text


def test_a_wrong_body_names_the_field(client: httpx.Client) -> None:
    response = client.post("/body", json={"number": "x"})
    assert response.json()["errors"][0]["parameter"] == "number"
    assert client.post("/body", content=b"{").status_code == 400


def test_an_unknown_page_is_404_and_says_where_to_look(server: "Server") -> None:
    response = server.client.get("/nope")
    assert response.status_code == 404
    assert response.json().keys() >= MEMBERS
    assert "/docs" in response.json()["detail"]


def test_an_unknown_method_is_405(server: "Server") -> None:
    response = server.client.delete("/health")
    assert (response.status_code, response.headers["allow"]) == (405, "GET")
    assert "DELETE" in response.json()["detail"]


def test_a_fault_of_the_program_tells_nothing_but_a_reference(
    client: httpx.Client, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        response = client.get("/fault?patient=name")
    assert response.status_code == 500
    assert "secret" not in response.text
    reference = response.headers["x-request-id"]
    assert reference in response.json()["detail"]
    assert reference in caplog.text
    assert "secret inside" in caplog.text
    assert "patient" not in caplog.text


def test_a_request_id_of_a_proxy_is_kept_and_a_strange_one_is_not(client: httpx.Client) -> None:
    assert client.get("/nope", headers={"x-request-id": "proxy-1"}).headers["x-request-id"] == "proxy-1"
    assert client.get("/nope", headers={"x-request-id": "a b\tc"}).headers["x-request-id"] != "a b\tc"


def test_health_reads_the_manifest(server: "Server") -> None:
    manifest = server.service.snapshot.manifest
    body = server.client.get("/health").json()
    assert (body["status"], body["snapshot"], body["triples"]) == ("ok", manifest.snapshot, manifest.triples)


def test_a_port_in_use_is_a_wrong_call_and_says_what_to_do(server: "Server") -> None:
    with pytest.raises(CallError, match=rf"Port {server.port} on 127.0.0.1 is in use.*--port") as caught:
        listen("127.0.0.1", server.port)
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("host", ["192.0.2.1", "no.such.host.invalid"])
def test_an_address_that_is_not_ours_is_a_wrong_call(host: str) -> None:
    with pytest.raises(CallError, match=r"Port 8000 on"):
        listen(host, 8000)


SERVE = """
import sys
from payergraph.errors import PayergraphError
from payergraph.server import serve
from payergraph.settings import Settings
try:
    serve(Settings(store=sys.argv[1], port=int(sys.argv[2])))
except PayergraphError as error:
    print(error.detail, file=sys.stderr)
    sys.exit(error.exit_code)
"""


def test_serve_ends_with_2_on_a_port_in_use(server: "Server", small_store: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", SERVE, small_store, str(server.port)], capture_output=True, text=True, check=False
    )
    assert (ran.returncode, ran.stderr) == (
        2,
        f"Port {server.port} on 127.0.0.1 is in use. Choose another with --port, or 0 for a free one.\n",
    )


def test_serve_ends_with_1_without_a_snapshot(tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", SERVE, tmp_path / "none", "0"], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 1
    assert "payergraph build" in ran.stderr
