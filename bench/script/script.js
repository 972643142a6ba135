// The script with which redeliver is compared: it sends the requests of the script in GitHub's
// documentation, in the same order, with the default settings of octokit. With THROTTLE=off, octokit
// does not wait a second between writes.
// https://docs.github.com/en/webhooks/using-webhooks/automatically-redelivering-failed-deliveries-for-an-organization-webhook
//
// Written for this comparison. Prints how many redeliveries it requested.

import { Octokit } from "octokit";

const { TOKEN: auth, API_URL: baseUrl, ORG: org, HOOK_ID: hook_id } = process.env;
const [owner, repo] = process.env.REPOSITORY.split("/");
const name = process.env.VARIABLE_NAME;
const throttle = process.env.THROTTLE === "off" ? { throttle: { enabled: false } } : {};
const octokit = new Octokit({ auth, baseUrl, ...throttle });

const begun = Date.now();
const variable = await octokit.request("GET /repos/{owner}/{repo}/actions/variables/{name}", {
  owner,
  repo,
  name,
});
const since = Number(variable.data.value);

const deliveries = [];
const pages = octokit.paginate.iterator("GET /orgs/{org}/hooks/{hook_id}/deliveries", {
  org,
  hook_id,
  per_page: 100,
});
for await (const { data } of pages) {
  deliveries.push(...data.filter((delivery) => Date.parse(delivery.delivered_at) >= since));
  if (data.length && Date.parse(data.at(-1).delivered_at) < since) break;
}

const attempts = new Map();
for (const delivery of deliveries) {
  attempts.set(delivery.guid, [...(attempts.get(delivery.guid) ?? []), delivery]);
}
const failed = [...attempts.values()].filter((tries) => tries.every((t) => t.status !== "OK"));
for (const [{ id: delivery_id }] of failed) {
  await octokit.request("POST /orgs/{org}/hooks/{hook_id}/deliveries/{delivery_id}/attempts", {
    org,
    hook_id,
    delivery_id,
  });
}

await octokit.request("PATCH /repos/{owner}/{repo}/actions/variables/{name}", {
  owner,
  repo,
  name,
  value: String(begun),
});
console.log(failed.length);
