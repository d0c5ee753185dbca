import { pathToFileURL } from 'node:url';

/** Goes through the orders of small scenarios. Answers whether all went well. */
export async function exploreAll({ target, first = 0, scenarios, mostOrders }) {
  const { explore, runOrder } = await import(pathToFileURL(`${target}/simulation/orders.js`).href);
  const { GivenChoices } = await import(pathToFileURL(`${target}/simulation/choices.js`).href);
  Error.stackTraceLimit = 0;
  let orders = 0;
  let complete = 0;
  for (let scenario = first; scenario < first + scenarios; scenario++) {
    const found = await explore(scenario, mostOrders);
    orders += found.orders;
    if (found.isComplete) complete++;
    if (found.failed === undefined) continue;
    const run = await runOrder(new GivenChoices(found.failed.choices), scenario, true);
    console.log(run.lines.join('\n'));
    console.log(
      `${run.violation.rule} is broken in order ${found.orders} of scenario ${scenario}: ${run.violation.message}`,
    );
    console.log(`npm run simulate -- --exhaustive --scenario ${scenario} --orders ${found.orders}`);
    return false;
  }
  console.log(`${scenarios} scenarios of up to 6 messages, ${complete} of them in every order there is`);
  console.log(`${orders} orders, 0 violations`);
  return true;
}
