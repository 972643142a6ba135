"""The issues of acme/ops, in place of GitHub's, for the example that keeps an issue."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from tests.e2e.api_github_com import Route  # noqa: TC001 - no cycle to avoid

MAX_BODY = 65_536
"""Characters. https://github.com/orgs/community/discussions/41331"""


@dataclass(kw_only=True)
class Issue:
    number: int
    title: str
    body: str
    state: str = "open"
    comments: list[str] = field(default_factory=list)


class Issues:
    """What the token of a job with these `permissions` may do with issues.

    https://docs.github.com/en/rest/issues/issues
    https://docs.github.com/en/rest/issues/comments
    """

    def __init__(self, permissions: Mapping[str, str]) -> None:
        assert permissions == {"issues": "write"}
        other = Issue(number=1, title="needs attention", body="<!-- bm8gSlNPTg== -->")
        self._all = [other]
        self.edits = 0
        path = "/repos/acme/ops/issues"
        self.routes: dict[str, Route] = {f"GET {path}": self._list, f"POST {path}": self._create}

    @property
    def kept(self) -> list[Issue]:
        """The issues that the example has opened, the oldest first."""
        return self._all[1:]

    @property
    def newest(self) -> Issue:
        return self._all[-1]

    def _list(self, query: dict[str, str]) -> tuple[int, object]:
        assert (query["state"], query["creator"]) == ("open", "github-actions[bot]")
        found = [issue for issue in reversed(self._all) if issue.state == "open"]
        return 200, [asdict(issue) | {"comments": len(issue.comments)} for issue in found]

    def _create(self, fields: dict[str, str]) -> tuple[int, object]:
        assert fields.keys() == {"title", "body"}
        _check_body(fields)
        number = len(self._all) + 1
        issue = Issue(number=number, title=fields["title"], body=fields["body"])
        self._all.append(issue)

        def update(fields: dict[str, str]) -> tuple[int, object]:
            assert fields.keys() <= {"body", "state"}
            _check_body(fields)
            issue.body, issue.state = fields["body"], fields.get("state", issue.state)
            assert issue.state in {"open", "closed"}
            self.edits += 1
            return 200, asdict(issue)

        def comment(fields: dict[str, str]) -> tuple[int, object]:
            assert fields.keys() == {"body"}
            _check_body(fields)
            issue.comments.append(fields["body"])
            return 201, fields

        path = f"/repos/acme/ops/issues/{issue.number}"
        self.routes |= {f"PATCH {path}": update, f"POST {path}/comments": comment}
        return 201, asdict(issue)


def _check_body(fields: Mapping[str, str]) -> None:
    assert 0 < len(fields["body"]) <= MAX_BODY
