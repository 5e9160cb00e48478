// Segment's own client for Node, as its manual says: a day in the shop of several customers. Only the host is ours.
// node segment_node.cjs <folder of the package> <host> <write key>; prints what went out and what went wrong as JSON.

const [folder, host, writeKey] = process.argv.slice(2);
const { Analytics } = require(`${folder}/node_modules/@segment/analytics-node`);

const EVENTS = 300;
const CUSTOMERS = 5;
const client = new Analytics({ writeKey, host });
const opened = Date.now() - 3600 * 1000;
const said = { sent: 0, errors: [] };
client.on("error", (error) => said.errors.push(String(error.reason || error.code)));
client.on("http_request", ({ url }) => (said.path = new URL(url).pathname));

for (let number = 0; number < EVENTS; number += 1) {
  const userId = `node-${number % CUSTOMERS}`;
  const common = { messageId: `node-${number}`, timestamp: new Date(opened + number * 1000) };
  said.sent += 1;
  if (number < CUSTOMERS) {
    client.identify({ userId, traits: { name: `Customer ${number}`, nested: { number } }, ...common });
  } else if (number < 2 * CUSTOMERS) {
    client.alias({ userId, previousId: `node-visitor-${number}`, ...common });
  } else if (number < 3 * CUSTOMERS) {
    client.group({ userId, groupId: "node-club", traits: { number }, ...common });
  } else if (number < 4 * CUSTOMERS) {
    // A visitor's: theirs before anybody knew, now of the customer they turned out to be.
    const anonymousId = `node-visitor-${number - 2 * CUSTOMERS}`;
    client.track({ anonymousId, event: "Product Viewed", properties: { product_id: "p1", number }, ...common });
  } else if (number % 3 === 0) {
    client.page({ userId, category: "Shop", name: `Page ${number}`, properties: { number }, ...common });
  } else if (number % 3 === 1) {
    client.screen({ userId, name: `Screen ${number}`, properties: { number }, ...common });
  } else {
    const properties = { product_id: `p${number % 40}`, price: 12.5, number };
    client.track({ userId, event: "Product Added", properties, ...common });
  }
}
client.closeAndFlush({ timeout: 60000 }).then(() => console.log(JSON.stringify(said)));
