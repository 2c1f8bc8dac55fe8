"""`/sparql` over a real server: the SPARQL 1.1 Protocol for queries, its limits, and what is refused."""

import http.client
import socket
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import httpx
import orjson
import pyoxigraph as ox
import pytest
from pyoxigraph import Literal, NamedNode, Quad

from payergraph.errors import StoreError
from payergraph.store import build_lock, write_snapshot

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import Server

JSON = "application/sparql-results+json"
FORM = "application/x-www-form-urlencoded"
FRUIT = "SELECT ?s { ?s a <https://example.org/Fruit> } ORDER BY ?s"
TRIPLES = "CONSTRUCT { ?s ?p ?o } WHERE { ?s ?p ?o }"
CROSS = "?a ?b ?c . ?d ?e ?f . ?g ?h ?i"
RUNAWAY = f"SELECT (COUNT(*) AS ?n) {{ {CROSS} . ?j ?k ?l . ?m ?n2 ?o . ?q ?r ?s }}"
ONE, TWO = "https://example.org/source/one", "https://example.org/source/two"
SHARED = "SELECT (COUNT(*) AS ?n) { <https://example.org/shared> ?p ?o }"
CORPUS = Path(__file__).parents[1] / "fixtures" / "sparql"


def names(response: httpx.Response) -> list[str]:
    assert response.status_code == 200, response.text
    return [row["s"]["value"].rpartition("/")[2] for row in response.json()["results"]["bindings"]]


def problem(response: httpx.Response, status: int) -> dict[str, object]:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    body: dict[str, object] = response.json()
    assert body["status"] == status
    return body


def test_the_three_ways_to_ask_give_one_answer(server: "Server") -> None:
    ways = [
        server.ask(FRUIT),
        server.client.post("/sparql", data={"query": FRUIT}, headers={"accept": JSON}),
        server.client.post("/sparql", content=FRUIT, headers={"content-type": "application/sparql-query"}),
        server.client.post(
            "/sparql", content=FRUIT, headers={"content-type": "Application/Sparql-Query; charset=UTF-8"}
        ),
    ]
    for response in ways:
        assert names(response) == ["apple", "kiwi", "pear"]
        assert response.headers["content-type"] == JSON


def test_head_says_what_get_would(server: "Server") -> None:
    got = server.ask(FRUIT)
    head = server.client.head("/sparql", params={"query": FRUIT}, headers={"accept": JSON})
    assert head.content == b""
    assert (head.status_code, head.headers["etag"]) == (200, got.headers["etag"])


def test_options_say_what_may_be_done(server: "Server") -> None:
    response = server.client.options("/sparql")
    assert response.status_code == 204
    assert response.headers["allow"] == "GET, HEAD, POST, OPTIONS"


def test_other_methods_are_refused_with_those_that_are_not(server: "Server") -> None:
    response = server.client.put("/sparql", content="x")
    assert "GET, HEAD, POST, OPTIONS" in str(problem(response, 405)["detail"])
    assert response.headers["allow"] == "GET, HEAD, POST, OPTIONS"


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        (JSON, JSON),
        ("application/json", "application/json"),
        ("application/sparql-results+xml", "application/sparql-results+xml"),
        ("text/csv", "text/csv; charset=utf-8"),
        ("text/tab-separated-values", "text/tab-separated-values; charset=utf-8"),
        ("*/*", JSON),
    ],
)
@pytest.mark.parametrize("query", [FRUIT, "ASK {}"])
def test_results_come_in_the_format_accepted(server: "Server", query: str, accept: str, content_type: str) -> None:
    response = server.ask(query, accept)
    assert response.status_code == 200
    assert response.headers["content-type"] == content_type
    assert "Accept" in response.headers["vary"]


@pytest.mark.parametrize(
    "media_type",
    ["text/turtle", "application/n-triples", "application/rdf+xml", "application/ld+json", "application/trig",
     "application/n-quads"],
)  # fmt: skip
def test_graphs_in_every_syntax_are_one_graph(server: "Server", media_type: str) -> None:
    response = server.ask(TRIPLES, media_type)
    assert response.headers["content-type"].split(";")[0] == media_type
    rdf_format = ox.RdfFormat.from_media_type(media_type)
    got = {quad.triple for quad in ox.parse(response.content, format=rdf_format)}
    store = server.service.snapshot.store
    assert got == {quad.triple for quad in store.quads_for_pattern(None, None, None, ox.DefaultGraph())}


def test_default_graphs_are_merged_and_count_once(server: "Server") -> None:
    for defaults in ([ONE], [ONE, TWO]):
        response = server.client.get("/sparql", params={"query": SHARED, "default-graph-uri": defaults})
        assert response.json()["results"]["bindings"][0]["n"]["value"] == "1"


def test_several_from_are_merged_too(server: "Server") -> None:
    query = SHARED.replace("{", f"FROM <{ONE}> FROM <{TWO}> {{", 1)
    assert server.ask(query, "text/csv").text == "n\r\n1\r\n"


def test_the_dataset_of_the_protocol_beats_from(server: "Server") -> None:
    query = FRUIT.replace("{", f"FROM <{TWO}> {{", 1)
    assert names(server.ask(query)) == ["kiwi"]
    assert names(server.ask(query, **{"default-graph-uri": ONE})) == ["apple", "pear"]


def test_named_graphs_limit_what_graph_sees(server: "Server") -> None:
    query = "SELECT DISTINCT ?s { GRAPH ?s { ?a ?b ?c } }"
    assert len(names(server.ask(query))) == 3
    assert names(server.ask(query, **{"named-graph-uri": TWO})) == ["two"]
    assert names(server.ask(FRUIT, **{"named-graph-uri": TWO})) == []


def test_a_large_result_is_streamed_whole(server: "Server") -> None:
    with server.client.stream("GET", "/sparql", params={"query": f"SELECT * {{ {CROSS} }}"}) as response:
        assert "content-length" not in response.headers
        text = b"".join(response.iter_bytes())
    assert len(orjson.loads(text)["results"]["bindings"]) == server.service.snapshot.manifest.triples**3


def test_no_query_gives_the_service_description(server: "Server") -> None:
    response = server.client.get("/sparql", headers={"accept": "application/n-triples"})
    assert response.headers["content-type"] == "application/n-triples"
    objects = {quad.object.value for quad in ox.parse(response.content, format=ox.RdfFormat.N_TRIPLES)}
    assert "http://www.w3.org/ns/sparql-service-description#SPARQL11Query" in objects
    assert f"{server.url}/sparql" in objects


def test_an_etag_spares_the_query(server: "Server") -> None:
    first = server.ask(FRUIT)
    again = server.client.get(
        "/sparql", params={"query": FRUIT}, headers={"accept": JSON, "if-none-match": first.headers["etag"]}
    )
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", first.headers["etag"])
    assert server.ask(FRUIT, "text/csv").headers["etag"] != first.headers["etag"]
    assert "etag" not in server.ask("SELECT (NOW() AS ?s) {}").headers


def test_a_page_from_elsewhere_may_ask(server: "Server") -> None:
    origin = {"origin": "https://example.org"}
    preflight = server.client.options(
        "/sparql", headers=origin | {"access-control-request-method": "POST", "access-control-request-headers": "x-a"}
    )
    assert preflight.headers["access-control-allow-origin"] == "*"
    response = server.client.get("/sparql", params={"query": "ASK {}"}, headers=origin)
    assert response.headers["access-control-allow-origin"] == "*"
    assert "ETag" in response.headers["access-control-expose-headers"]


def test_what_does_not_parse_is_400_with_its_position(server: "Server") -> None:
    body = problem(server.ask("SELECT * {\n  ?s ?p ?o\n  FILTR(?s)\n}"), 400)
    assert (body["line"], body["column"]) == (3, 3)
    assert "FILTR" in str(body["detail"])


@pytest.mark.parametrize("query", ["", "   ", "hello", "SELECT", "{", "PREFIX ex: <https://example.org/>"])
def test_texts_that_are_no_query_are_400(server: "Server", query: str) -> None:
    problem(server.ask(query), 400)


def test_an_unacceptable_format_is_406_and_lists_ours(server: "Server") -> None:
    body = problem(server.ask(FRUIT, "image/png"), 406)
    assert JSON in str(body["offered"])
    problem(server.ask(TRIPLES, "text/csv"), 406)


@pytest.mark.parametrize("content_type", ["text/plain", "application/json", "multipart/form-data; boundary=x", ""])
def test_an_unknown_body_is_415_and_lists_ours(server: "Server", content_type: str) -> None:
    response = server.client.post("/sparql", content=b"ASK {}", headers={"content-type": content_type})
    assert "application/sparql-query" in str(problem(response, 415)["detail"])


def test_a_charset_that_is_not_read_is_415(server: "Server") -> None:
    headers = {"content-type": "application/sparql-query; charset=utf-16"}
    problem(server.client.post("/sparql", content="ASK {}".encode("utf-16"), headers=headers), 415)


@pytest.mark.parametrize(
    ("parameters", "text"),
    [
        ([("query", "ASK {}"), ("query", "ASK {}")], "2 times"),
        ([("query", "ASK {}"), ("default-graph-url", ONE)], "not known"),
        ([("default-graph-uri", ONE)], "missing"),
        ([("query", "ASK {}"), ("default-graph-uri", "no iri")], "no absolute IRI"),
        ([("query", "ASK {}"), ("named-graph-uri", "relative")], "no absolute IRI"),
    ],
)
def test_wrong_parameters_are_400_and_named(server: "Server", parameters: list[tuple[str, str]], text: str) -> None:
    assert text in str(problem(server.client.get(f"/sparql?{urlencode(parameters)}"), 400)["detail"])
    assert text in str(
        problem(server.client.post("/sparql", content=urlencode(parameters), headers={"content-type": FORM}), 400)[
            "detail"
        ]
    )


def test_what_common_clients_add_does_no_harm(server: "Server") -> None:
    assert names(server.ask(FRUIT, format="json", output="json", results="json")) == ["apple", "kiwi", "pear"]


def test_bytes_that_are_not_utf_8_are_400(server: "Server") -> None:
    problem(server.client.get("/sparql?query=ASK%20%7B%7D%20%23%FF"), 400)
    headers = {"content-type": "application/sparql-query"}
    problem(server.client.post("/sparql", content=b"ASK {} # \xff", headers=headers), 400)


def test_a_body_over_the_limit_is_413(small_store: Path, start_server: "Callable[..., Server]") -> None:
    server = start_server(small_store, body_bytes=1000)
    headers = {"content-type": "application/sparql-query"}
    query = "ASK {} #" + "x" * 2000
    assert problem(server.client.post("/sparql", content=query, headers=headers), 413)["limit"] == 1000
    chunks = iter([query[:900].encode(), query[900:].encode()])
    problem(server.client.post("/sparql", content=chunks, headers=headers), 413)


@pytest.mark.parametrize(
    "send",
    [
        pytest.param({"params": {"query": "DROP ALL"}, "method": "GET"}, id="as a query"),
        pytest.param({"params": {"update": "DROP ALL"}, "method": "GET"}, id="as an update"),
        pytest.param({"data": {"update": "DROP ALL"}, "method": "POST"}, id="as a form"),
        pytest.param(
            {"content": "DROP ALL", "method": "POST", "headers": {"content-type": "application/sparql-update"}},
            id="as a body",
        ),
    ],
)
def test_an_update_is_refused_with_a_reason(server: "Server", send: dict[str, object]) -> None:
    response = server.client.request(url="/sparql", **send)  # type: ignore[arg-type]
    assert "only reads" in str(problem(response, 403)["detail"])


def test_no_query_reaches_another_server(server: "Server") -> None:
    """Every text of the corpus that the engine would take for SERVICE, aimed at a listener that hears nothing."""
    heard: list[object] = []
    files = sorted([*(CORPUS / "service").glob("*.rq"), *(CORPUS / "engine").glob("*.rq")])
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.1)
        address = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        done = threading.Event()

        def listen() -> None:
            while not done.is_set():
                try:
                    connection, peer = listener.accept()
                except TimeoutError:
                    continue
                connection.close()
                heard.append(peer)

        ear = threading.Thread(target=listen)
        ear.start()
        for file in files:
            text = file.read_bytes().decode()
            text = text.replace("{listener}", address).replace("https://example.org/sparql", address)
            assert server.ask(text).status_code in (400, 403), file
            for form in ("text/csv", "text/turtle"):
                assert server.ask(text, form).status_code in (400, 403, 406), file
        time.sleep(0.2)
        done.set()
        ear.join()
    assert not heard


def test_a_runaway_query_is_ended_and_look_ups_go_on(small_store: Path, start_server: "Callable[..., Server]") -> None:
    server = start_server(small_store, query_seconds=1, query_workers=1)
    answers: list[httpx.Response] = []
    asking = threading.Thread(
        target=lambda: answers.append(httpx.get(f"{server.url}/sparql", params={"query": RUNAWAY}))
    )
    began = time.monotonic()
    asking.start()
    slowest = 0.0
    while asking.is_alive():
        at = time.monotonic()
        assert server.client.get("/health").status_code == 200
        slowest = max(slowest, time.monotonic() - at)
    assert time.monotonic() - began < 3
    assert slowest < 0.5
    assert "longer than 1 seconds" in str(problem(answers[0], 503)["detail"])
    assert int(answers[0].headers["retry-after"]) >= 1
    assert server.ask("ASK {}").json()["boolean"] is True


def test_a_result_that_is_cut_is_a_protocol_error(small_store: Path, start_server: "Callable[..., Server]") -> None:
    server = start_server(small_store, query_seconds=1, query_workers=1)
    endless = f"SELECT * {{ {CROSS} . ?j ?k ?l . ?m ?n ?o }}"
    with server.client.stream("GET", "/sparql", params={"query": endless}) as response:
        assert response.status_code == 200
        with pytest.raises(httpx.RemoteProtocolError):
            for _ in response.iter_bytes():
                pass
    assert server.ask("ASK {}").status_code == 200


def test_a_client_that_hangs_up_frees_its_worker(small_store: Path, start_server: "Callable[..., Server]") -> None:
    server = start_server(small_store, query_seconds=60, query_workers=1)
    for query in (RUNAWAY, f"SELECT * {{ {CROSS} . ?j ?k ?l . ?m ?n ?o }}"):
        connection = http.client.HTTPConnection("127.0.0.1", server.port)
        connection.request("GET", "/sparql?" + urlencode({"query": query}))
        time.sleep(0.4)
        connection.close()
        began = time.monotonic()
        assert server.ask("ASK {}").status_code == 200
        assert time.monotonic() - began < 5


def test_a_queue_that_is_full_is_503_with_retry_after(small_store: Path, start_server: "Callable[..., Server]") -> None:
    server = start_server(small_store, query_seconds=2, query_workers=1, query_queue=0)
    busy = threading.Thread(target=lambda: httpx.get(f"{server.url}/sparql", params={"query": RUNAWAY}))
    busy.start()
    time.sleep(0.4)
    response = server.ask("ASK {}")
    assert "running" in str(problem(response, 503)["detail"])
    assert int(response.headers["retry-after"]) >= 1
    busy.join()


def test_a_new_build_takes_over_and_a_failed_one_does_not(
    store_root: Path, start_server: "Callable[..., Server]", monkeypatch: pytest.MonkeyPatch
) -> None:
    server = start_server(store_root)
    before = server.client.get("/health").json()["snapshot"]
    new = [
        Quad(NamedNode("https://example.org/new"), NamedNode("https://example.org/p"), Literal(1), NamedNode("urn:g"))
    ]
    with build_lock(store_root) as lock, monkeypatch.context() as broken:
        (store_root / ".building-half" / "store").mkdir(parents=True)
        broken.setattr("payergraph.store.building._sync", _fail)
        with pytest.raises(StoreError, match="goes on answering"):
            write_snapshot(store_root, new, lock=lock)
    time.sleep(1.1)
    assert server.client.get("/health").json()["snapshot"] == before
    assert len(names(server.ask(FRUIT))) == 3
    after = write_snapshot(store_root, new)
    time.sleep(1.1)
    assert server.client.get("/health").json() | {"built": ""} == {
        "status": "ok", "snapshot": after.id, "triples": 1, "built": "",
    }  # fmt: skip
    assert names(server.ask("SELECT ?s { ?s ?p ?o }")) == ["new"]


def _fail(*_: object) -> None:
    raise OSError(5, "Input/output error")
