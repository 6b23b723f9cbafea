"""``segue notify``: what rules there are, and whether one gets through."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

from cli_kit import Folder

RULES = """
[[notify]]
name = "oncall"
when = ["failed", "incident"]
workflow = "buy"
to = "http://127.0.0.1:{port}/hidden"

[[notify]]
name = "nobody"
when = "completed"
tags = {{ team = "x" }}
to = "$NO_SUCH_VARIABLE"
"""


def test_rules_are_listed_without_their_addresses_and_tried(segue: Folder) -> None:
    got: list[bytes] = []
    answers = [204, 503]

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(answers.pop(0))
            self.end_headers()

        def log_message(self, *args: object) -> None: ...

    with HTTPServer(("127.0.0.1", 0), Hook) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        segue.write("segue.toml", RULES.format(port=server.server_port))
        listed = segue("notify", "list").out
        assert "oncall" in listed
        assert "team=x" in listed
        assert "hidden" not in listed
        assert [rule["name"] for rule in segue("notify", "list", "--json").json] == ["oncall", "nobody"]
        assert "sent by oncall" in segue("notify", "test", "oncall").out
        assert json.loads(got[0])["state"] == "test"
        refused = segue("notify", "test", "oncall", code=6).err
        assert "answered with 503" in refused
        assert "hidden" not in refused
        server.shutdown()
    assert "NO_SUCH_VARIABLE, which is not set" in segue("notify", "test", "nobody", code=2).err
    assert "there is no rule 'x'; there are: nobody, oncall" in segue("notify", "test", "x", code=2).err
