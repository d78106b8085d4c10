"""The tables of starts on function hosts: every page by the commands of its hosts, and one beside the hand-written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from benchmarks.tables import figure, table, title

HOST_TITLES = {
    "aws-lambda": "AWS Lambda",
    "container": "Containers, Knative, Function Compute",
    "google": "Cloud Run functions",
    "wsgi": "All pages in one folder",
}

Row = Mapping[str, Any]


_SHOWN = ("home", "login")


def hosts_table(found: Mapping[str, Any]) -> str:
    """Two pages of each host, and the one that starts slowest; the first of a host names its command too."""
    slowest: dict[str, Row] = {}
    for row in sorted(found["hosts"], key=lambda row: row["start_to_first_page_ms"]):
        slowest[row["host"]] = row
    body: list[list[str]] = []
    before = ""
    for row in found["hosts"]:
        host = row["host"]
        if row["page"] not in _SHOWN and row is not slowest[host]:
            continue
        named = f"**{HOST_TITLES.get(host, host)}**<br>`{row['command']}`<br>" if host != before else ""
        before = host
        body.append(
            [
                f"{named}{row['page']}",
                figure(row["start_to_first_page_ms"]),
                _spread(row, "start_to_first_page_ms"),
                figure(row["warm_ms"]),
                figure(row["memory_mb"]),
                figure(row["bundle_mb"]),
                figure(row["zipped_mb"]),
            ]
        )
    head = [
        "",
        "start to first page, ms",
        "least – most",
        "warm page, ms",
        "memory, MB",
        "folder, MB",
        "zip, MB",
    ]
    return table(head, body)


def lambda_table(found: Mapping[str, Any]) -> str:
    """The benchmark's page as a function: ours, and what is written by hand."""
    columns = {
        "start to first page, ms": "first_page_ms",
        "of that Lambda's INIT, ms": "init_ms",
        "warm page, ms": "warm_ms",
        "most memory, MB": "memory_mb",
        "folder, MB": "size_mb",
        "zip, MB": "zipped_mb",
    }
    body = [
        # No server is there.
        [title(row["name"]).removesuffix(", gunicorn"), *(figure(row[column]) for column in columns.values())]
        for row in found["lambda"]
    ]
    return table(["on AWS Lambda", *columns], body)


def _spread(row: Row, column: str) -> str:
    least, most = row["spread"][column]
    return f"{figure(least)} – {figure(most)}"
