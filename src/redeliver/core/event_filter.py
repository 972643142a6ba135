"""Which events to redeliver: patterns that match events, and the event names that GitHub has.

The names are those in GitHub's descriptions of its webhooks for GitHub.com, Enterprise Cloud and
Enterprise Server 3.14 to 3.19, as of November 2026:
https://docs.github.com/en/webhooks/webhook-events-and-payloads
"""

import re
from dataclasses import dataclass
from difflib import get_close_matches
from fnmatch import fnmatchcase

EVENT_PATTERN = re.compile(r"!?[a-z0-9_*?]+(\.[a-z0-9_*?.-]+)?")
"""An action may also have `.` and `-`, because clients choose that of `repository_dispatch`."""


@dataclass(frozen=True, slots=True)
class EventFilter:
    """Lower-case patterns such as `push`, `issues.opened`, `check_*`; a leading `!` excludes.

    Without an including pattern, all events match but the excluded ones. The order of the patterns
    does not matter.
    """

    patterns: tuple[str, ...] = ()

    def matches(self, event: str, action: str | None) -> bool:
        """Whether the filter includes an event; `event` and `action` are GitHub's names."""
        excluding = [pattern[1:] for pattern in self.patterns if pattern.startswith("!")]
        including = [pattern for pattern in self.patterns if not pattern.startswith("!")]
        if any(_matches(pattern, event, action) for pattern in excluding):
            return False
        return not including or any(_matches(pattern, event, action) for pattern in including)


ALL_EVENTS = EventFilter()


def is_unknown(pattern: str) -> bool:
    """Whether a pattern can never match, because GitHub has no event with that name.

    A pattern with `*` or `?` may be for events that are newer than `EVENT_NAMES`.
    """
    name = event_name(pattern)
    return name not in EVENT_NAMES and not {"*", "?"} & set(name)


def event_name(pattern: str) -> str:
    """Return a pattern without the `!` at its start and without its action."""
    return pattern.removeprefix("!").partition(".")[0]


def nearest_event_name(name: str, *, cutoff: float = 0.6) -> str | None:
    """Return GitHub's event name that is most similar to `name`, for a misspelled one.

    Return None if the similarity is less than `cutoff`: 1 means equal, 0 means that no character is
    the same, as `difflib` measures it.
    """
    return next(iter(get_close_matches(name, EVENT_NAMES, n=1, cutoff=cutoff)), None)


def _matches(pattern: str, event: str, action: str | None) -> bool:
    """Whether a pattern matches an event; without an action in the pattern, any action matches."""
    event_pattern, dot, action_pattern = pattern.partition(".")
    if not fnmatchcase(event.lower(), event_pattern):
        return False
    return not dot or (action is not None and fnmatchcase(action.lower(), action_pattern))


EVENT_NAMES = frozenset(
    [
        "branch_protection_configuration",
        "branch_protection_rule",
        "bypass_request_secret_scanning",
        "cache_sync",
        "check_run",
        "check_suite",
        "code_scanning_alert",
        "commit_comment",
        "create",
        "custom_property",
        "custom_property_values",
        "delete",
        "dependabot_alert",
        "deploy_key",
        "deployment",
        "deployment_protection_rule",
        "deployment_review",
        "deployment_status",
        "discussion",
        "discussion_comment",
        "dismissal_request_code_scanning",
        "dismissal_request_secret_scanning",
        "enterprise",
        "exemption_request_push_ruleset",
        "fork",
        "github_app_authorization",
        "gollum",
        "installation",
        "installation_repositories",
        "installation_target",
        "issue_comment",
        "issue_dependencies",
        "issues",
        "label",
        "marketplace_purchase",
        "member",
        "membership",
        "merge_group",
        "meta",
        "milestone",
        "org_block",
        "organization",
        "organization_custom_property",
        "organization_custom_property_values",
        "package",
        "page_build",
        "personal_access_token_request",
        "ping",
        "project",
        "project_card",
        "project_column",
        "projects_v2",
        "projects_v2_item",
        "projects_v2_status_update",
        "public",
        "pull_request",
        "pull_request_review",
        "pull_request_review_comment",
        "pull_request_review_thread",
        "push",
        "registry_package",
        "release",
        "repository",
        "repository_advisory",
        "repository_dispatch",
        "repository_import",
        "repository_ruleset",
        "repository_vulnerability_alert",
        "secret_scanning_alert",
        "secret_scanning_alert_location",
        "secret_scanning_scan",
        "security_advisory",
        "security_and_analysis",
        "sponsorship",
        "star",
        "status",
        "sub_issues",
        "team",
        "team_add",
        "user",
        "watch",
        "workflow_dispatch",
        "workflow_job",
        "workflow_run",
    ]
)
