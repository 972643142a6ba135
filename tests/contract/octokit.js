// Read a webhook's delivery log page by page, redeliver the newest delivery, and create, update and
// read a variable, with Octokit. Print the results as JSON.
//
//   TOKEN=… API_URL=… ORG=… HOOK_ID=… REPOSITORY=… node octokit.js PACKAGE

const { Octokit } = await import(process.argv[2]);

const { TOKEN: auth, API_URL: baseUrl, ORG: org, HOOK_ID: hook_id } = process.env;
const [owner, repo] = process.env.REPOSITORY.split("/");
const octokit = new Octokit({ auth, baseUrl });
const { actions, orgs } = octokit.rest;
const hook = { org, hook_id };
const variable = { owner, repo, name: "CHECKPOINT" };

const status = (response) => response.status; // an error has one, too
const log = await octokit.paginate(orgs.listWebhookDeliveries, { ...hook, per_page: 100 });
const { id: delivery_id } = log[0];
const redelivered = await orgs
  .redeliverWebhookDelivery({ ...hook, delivery_id })
  .then(status, status);
const written = [
  await actions.getRepoVariable(variable).then(status, status),
  await actions.createRepoVariable({ ...variable, value: "1" }).then(status, status),
  await actions.updateRepoVariable({ ...variable, value: "2" }).then(status, status),
];
const read = await actions.getRepoVariable(variable);

console.log(
  JSON.stringify({
    guids: log.map(({ guid }) => guid),
    id: BigInt(delivery_id).toString(),
    redelivered,
    written,
    read: read.data.value,
  }),
);
