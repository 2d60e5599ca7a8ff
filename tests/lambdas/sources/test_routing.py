"""Routing: the longest path wins, and what no source names is nobody's."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from lambdas.sources.routing import WrongMethod, path_problem, route


@dataclass(frozen=True)
class _Source:
    name: str
    paths: tuple[str, ...]
    methods: tuple[str, ...] = ("POST",)


_SOURCES = (
    _Source("all-hooks", ("/hooks/*",)),
    _Source("github", ("/hooks/github", "/gh/*"), ("PUT", "POST")),
    _Source("github-legacy", ("/hooks/github/*",)),
    _Source("meta", ("/hooks/meta",), ("GET",)),
)


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/hooks/", "all-hooks"),
        ("/hooks/x/y", "all-hooks"),
        ("/hooks/github", "github"),
        ("/hooks/github/", "github-legacy"),
        ("/hooks/github/a", "github-legacy"),
        ("/hooks/githubs", "all-hooks"),
        ("/gh/a", "github"),
    ],
)
def test_the_longest_path_wins(path: str, name: str) -> None:
    """An exact path beats every prefix, a longer prefix a shorter, in any order of the sources."""
    for sources in (_SOURCES, _SOURCES[::-1]):
        source = route(sources, "POST", path)
        assert isinstance(source, _Source)
        assert source.name == name


@pytest.mark.parametrize(
    "path",
    [
        "/", "/.env", "/wp-login.php", "/.git/config", "/hooks", "/HOOKS/github", "//hooks/x",
        "/gh", "/hooks/../admin", "/hooks/%2e%2e/admin", "/hooks/..;/admin", "/hooks/..\\admin",
        "/hooks/./x", "/hooks/a%2f..%2fb",
    ],
)  # fmt: skip
def test_other_paths_are_not_found(path: str) -> None:
    """A path that no source names is 404; so is one whose dot segments could leave its prefix."""
    assert route(_SOURCES, "POST", path) is None


def test_other_methods_are_named() -> None:
    """A method that the path's source does not take is 405, with those that it takes."""
    assert route(_SOURCES, "DELETE", "/gh/x") == WrongMethod(_SOURCES[1], ("POST", "PUT"))
    assert route(_SOURCES, "POST", "/hooks/meta") == WrongMethod(_SOURCES[3], ("GET",))


@pytest.mark.parametrize(
    "pattern",
    ["", "x", "x/*", "/a*", "/*/b", "//a", "/a b", "/a%20", "/a?b", "/a/../b", "/a/*/*", "/é"],
)
def test_paths_that_can_not_match_are_refused(pattern: str) -> None:
    """A path in settings that no request could have, or that says too much, has a problem."""
    assert path_problem(pattern)


@pytest.mark.parametrize("pattern", ["/", "/*", "/a", "/a/", "/a/*", "/a/b-c_d.e~f:g@h"])
def test_usual_paths_are_taken(pattern: str) -> None:
    """Exact paths and prefixes have none."""
    assert path_problem(pattern) is None
