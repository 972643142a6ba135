"""Post the payload to an incoming webhook, as the action of Slack does."""

import json
import os
from urllib.request import Request, urlopen

inputs = json.loads(os.environ["INPUTS"])
given = {name for name, value in inputs.items() if value}
assert given == {"webhook", "webhook-type", "payload", "errors", "payload-templated", "retries"}
assert inputs["webhook-type"] == "incoming-webhook"
# The action takes YAML, or else JSON. JSON is both.
payload = json.dumps(json.loads(inputs["payload"])).encode()
request = Request(  # noqa: S310 - the test gives it an https URL
    inputs["webhook"], data=payload, headers={"Content-Type": "application/json"}
)
with urlopen(request) as response:  # noqa: S310 - as above
    assert json.load(response) == "ok"
